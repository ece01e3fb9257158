-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS rooms_group ON rooms (host, group_id);
