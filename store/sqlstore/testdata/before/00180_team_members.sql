-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS team_members (
    host TEXT NOT NULL, team_id TEXT NOT NULL, name TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, team_id, name));
