-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS node_subscriptions_bare ON node_subscriptions (host, owner, bare);
