-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS webhooks_token ON webhooks (token);
