-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_upkeep (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, expire INT8 NOT NULL, purge_offline INT8 NOT NULL,
    PRIMARY KEY (host, owner, node));
