-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_settings (
    host TEXT NOT NULL, group_id TEXT NOT NULL, kind TEXT NOT NULL, mandatory TEXT NOT NULL, mention_by TEXT NOT NULL,
    guests INT8 NOT NULL, emoji TEXT NOT NULL, photo_hash TEXT NOT NULL,
    PRIMARY KEY (host, group_id));
