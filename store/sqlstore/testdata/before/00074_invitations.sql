-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS invitations (
    host TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, account INT8 NOT NULL, contact INT8 NOT NULL, username TEXT NOT NULL,
    created INT8 NOT NULL, expires INT8 NOT NULL,
    PRIMARY KEY (host, hash));
