-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS invites (
    host TEXT NOT NULL, id TEXT NOT NULL, generation INT8 NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL, account INT8 NOT NULL,
    contact INT8 NOT NULL, username TEXT NOT NULL, email TEXT NOT NULL, lang TEXT NOT NULL, note TEXT NOT NULL, state TEXT NOT NULL,
    uses INT8 NOT NULL, max_uses INT8 NOT NULL, created INT8 NOT NULL, expires INT8 NOT NULL,
    PRIMARY KEY (host, id));
