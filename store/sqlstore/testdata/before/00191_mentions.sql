-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS mentions (
    host TEXT NOT NULL, owner TEXT NOT NULL, room TEXT NOT NULL, id INT8 NOT NULL, PRIMARY KEY (host, owner, room, id));
