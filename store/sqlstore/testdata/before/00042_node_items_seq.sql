-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS node_items_seq ON node_items (host, owner, node, seq);
