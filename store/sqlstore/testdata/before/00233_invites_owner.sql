-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS invites_owner ON invites (host, owner, created);
