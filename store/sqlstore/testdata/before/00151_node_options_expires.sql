-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS node_options_expires ON node_options (host, expires);
