-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS token_apps (
    host TEXT NOT NULL, owner TEXT NOT NULL, client TEXT NOT NULL, app TEXT NOT NULL,
    PRIMARY KEY (host, owner, client));
