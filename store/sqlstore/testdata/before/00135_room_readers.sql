-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS room_readers (
    host TEXT NOT NULL, room TEXT NOT NULL, readers TEXT NOT NULL, named INT8 NOT NULL, since_added INT8 NOT NULL,
    PRIMARY KEY (host, room));
