-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS teams (
    host TEXT NOT NULL, id TEXT NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL, emoji TEXT NOT NULL, description TEXT NOT NULL,
    mention_by TEXT NOT NULL, created INT8 NOT NULL, deleted INT8 NOT NULL,
    PRIMARY KEY (host, id));
