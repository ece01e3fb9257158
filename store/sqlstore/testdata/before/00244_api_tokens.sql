-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS api_tokens (
    host TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, created INT8 NOT NULL,
    expires INT8 NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, hash));
