-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS team_defaults (
    host TEXT NOT NULL, team_id TEXT NOT NULL, group_id TEXT NOT NULL,
    PRIMARY KEY (host, team_id, group_id));
