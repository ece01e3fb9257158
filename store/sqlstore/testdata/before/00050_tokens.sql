-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS tokens (
    host TEXT NOT NULL, owner TEXT NOT NULL, client TEXT NOT NULL, fresh INT8 NOT NULL, mechanism TEXT NOT NULL,
    salt BYTEA NOT NULL, issued INT8 NOT NULL, expires INT8 NOT NULL, uses INT8 NOT NULL,
    PRIMARY KEY (host, owner, client, fresh));
