-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS former_accounts (
    host TEXT NOT NULL, name TEXT NOT NULL, times INT8 NOT NULL, deleted INT8 NOT NULL, settled INT8 NOT NULL,
    PRIMARY KEY (host, name));
