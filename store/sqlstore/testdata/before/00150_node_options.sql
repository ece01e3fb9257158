-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_options (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, options BYTEA, expires INT8 NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
