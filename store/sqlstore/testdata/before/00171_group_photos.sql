-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_photos (
    host TEXT NOT NULL, group_id TEXT NOT NULL, mime TEXT NOT NULL, hash TEXT NOT NULL, data BYTEA NOT NULL,
    PRIMARY KEY (host, group_id));
