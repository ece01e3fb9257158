-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS blocked (host TEXT NOT NULL, owner TEXT NOT NULL, jid TEXT NOT NULL, PRIMARY KEY (host, owner, jid));
