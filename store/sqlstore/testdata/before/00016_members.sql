-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS members (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, role TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, group_id, jid));
