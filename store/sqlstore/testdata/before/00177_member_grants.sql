-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS member_grants (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, own TEXT NOT NULL,
    PRIMARY KEY (host, group_id, jid));
