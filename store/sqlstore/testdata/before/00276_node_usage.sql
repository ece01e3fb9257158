-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_usage (
    host TEXT NOT NULL, owner TEXT NOT NULL, bytes INT8 NOT NULL,
    PRIMARY KEY (host, owner));
