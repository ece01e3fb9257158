-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS group_teams (
    host TEXT NOT NULL, group_id TEXT NOT NULL, team_id TEXT NOT NULL, role TEXT NOT NULL,
    PRIMARY KEY (host, group_id, team_id));
