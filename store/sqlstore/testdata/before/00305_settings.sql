-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS settings (
    host TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, since INT8 NOT NULL, changed_by TEXT NOT NULL,
    PRIMARY KEY (host, name));
