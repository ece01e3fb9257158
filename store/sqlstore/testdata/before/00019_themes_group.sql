-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS themes_group ON themes (host, group_id, created);
