-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS rooms (
    host TEXT NOT NULL, name TEXT NOT NULL, group_id TEXT NOT NULL, theme TEXT NOT NULL, epoch INT8 NOT NULL, config BYTEA,
    subject BYTEA, created INT8 NOT NULL, destroyed INT8 NOT NULL,
    PRIMARY KEY (host, name));
