-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS shared (
    host TEXT NOT NULL, team TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, creator TEXT NOT NULL,
    updated INT8 NOT NULL, PRIMARY KEY (host, team, kind, name));
