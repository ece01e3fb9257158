-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_redirects (
    host TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, uri TEXT NOT NULL, created INT8 NOT NULL,
    PRIMARY KEY (host, owner, name));
