-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS invites_username ON invites (host, username, created);
