-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS uploads_owner ON uploads (host, owner);
