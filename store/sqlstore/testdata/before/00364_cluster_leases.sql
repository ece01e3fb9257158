-- +goose NO TRANSACTION
-- +goose Up
-- Until when a node may be taken to live that says nothing, by the database's clock.
CREATE TABLE IF NOT EXISTS cluster_leases (id TEXT NOT NULL PRIMARY KEY, incarnation INT8 NOT NULL, until INT8 NOT NULL);
