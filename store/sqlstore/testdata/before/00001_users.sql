-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS users (
    host TEXT NOT NULL, name TEXT NOT NULL, keys BYTEA, disabled INT8 NOT NULL, admin INT8 NOT NULL,
    full_name TEXT NOT NULL, created INT8 NOT NULL, last_seen INT8 NOT NULL, last_status TEXT NOT NULL,
    PRIMARY KEY (host, name));
