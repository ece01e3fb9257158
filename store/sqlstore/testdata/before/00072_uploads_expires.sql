-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS uploads_expires ON uploads (host, expires);
