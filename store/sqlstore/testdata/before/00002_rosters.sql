-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS rosters (host TEXT NOT NULL, owner TEXT NOT NULL, version INT8 NOT NULL, PRIMARY KEY (host, owner));
