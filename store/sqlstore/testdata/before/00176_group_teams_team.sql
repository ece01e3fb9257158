-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS group_teams_team ON group_teams (host, team_id, group_id);
