-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_affiliations (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
