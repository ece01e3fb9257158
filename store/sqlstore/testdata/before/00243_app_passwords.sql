-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS app_passwords (
    host TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, keys BYTEA NOT NULL, created INT8 NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, owner, id));
