-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS uploads (
    host TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, content_type TEXT NOT NULL, size INT8 NOT NULL,
    created INT8 NOT NULL, expires INT8 NOT NULL, done INT8 NOT NULL,
    PRIMARY KEY (host, id));
