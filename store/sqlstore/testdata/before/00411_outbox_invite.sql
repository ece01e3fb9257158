-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS outbox_invite ON outbox (host, invite);
