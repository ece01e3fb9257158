-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS offline (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, expires INT8 NOT NULL, stanza BYTEA NOT NULL,
    PRIMARY KEY (host, owner, id));
