-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS follows_owner ON follows (host, owner, theme_key);
