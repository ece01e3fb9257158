-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (host, state, hook, room, id);
