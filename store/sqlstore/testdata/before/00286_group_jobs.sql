-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_jobs (
    host TEXT NOT NULL, group_id TEXT NOT NULL, PRIMARY KEY (host, group_id));
