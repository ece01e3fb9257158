-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_requests (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, reason TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, group_id, jid));
