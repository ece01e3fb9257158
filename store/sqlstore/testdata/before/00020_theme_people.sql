-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS theme_people (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, jid TEXT NOT NULL, role TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, theme_key, jid));
