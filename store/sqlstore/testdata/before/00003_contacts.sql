-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS contacts (
    host TEXT NOT NULL, owner TEXT NOT NULL, jid TEXT NOT NULL, name TEXT NOT NULL, subscription TEXT NOT NULL,
    ask INT8 NOT NULL, member_of TEXT NOT NULL, approved INT8 NOT NULL, request BYTEA, in_roster INT8 NOT NULL,
    removed INT8 NOT NULL, version INT8 NOT NULL,
    PRIMARY KEY (host, owner, jid));
