-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_history (
    host TEXT NOT NULL, group_id TEXT NOT NULL, since_join INT8 NOT NULL,
    PRIMARY KEY (host, group_id));
