-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS room_access (
    host TEXT NOT NULL, room TEXT NOT NULL, open INT8 NOT NULL, named INT8 NOT NULL,
    PRIMARY KEY (host, room));
