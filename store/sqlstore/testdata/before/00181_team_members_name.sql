-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS team_members_name ON team_members (host, name, team_id);
