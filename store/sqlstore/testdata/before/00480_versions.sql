-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS versions (host TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, version INT8 NOT NULL, PRIMARY KEY (host, kind, id));
