-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS archive_with ON archive (host, owner, with_bare, id);
