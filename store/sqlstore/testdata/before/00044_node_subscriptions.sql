-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_subscriptions (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, bare TEXT NOT NULL, subid TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
