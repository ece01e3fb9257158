-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS follows (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL, since INT8 NOT NULL, woken INT8 NOT NULL,
    PRIMARY KEY (host, theme_key, owner));
