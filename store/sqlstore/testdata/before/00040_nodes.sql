-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS nodes (
    host TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, config BYTEA, creator TEXT NOT NULL, created INT8 NOT NULL,
    PRIMARY KEY (host, owner, name));
