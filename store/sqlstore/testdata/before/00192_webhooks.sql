-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS webhooks (
    host TEXT NOT NULL, id TEXT NOT NULL, direction TEXT NOT NULL, name TEXT NOT NULL, group_id TEXT NOT NULL, theme TEXT NOT NULL,
    token BYTEA NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, events TEXT NOT NULL, creator TEXT NOT NULL, created INT8 NOT NULL,
    disabled INT8 NOT NULL, last INT8 NOT NULL, PRIMARY KEY (host, id));
