-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_items (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, id TEXT NOT NULL, seq INT8 NOT NULL, publisher TEXT NOT NULL,
    payload BYTEA,
    PRIMARY KEY (host, owner, node, id));
