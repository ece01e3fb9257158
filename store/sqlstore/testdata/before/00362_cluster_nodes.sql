-- +goose NO TRANSACTION
-- +goose Up
-- Processes that serve from this database. Nothing renews these rows: what a node writes can hang on its incarnation.
CREATE TABLE IF NOT EXISTS cluster_nodes (
    id TEXT NOT NULL PRIMARY KEY, incarnation INT8 NOT NULL, address TEXT NOT NULL, scope TEXT NOT NULL, place TEXT NOT NULL,
    version TEXT NOT NULL, started INT8 NOT NULL, draining INT8 NOT NULL);
