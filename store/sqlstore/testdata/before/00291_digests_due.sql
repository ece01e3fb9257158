-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS digests_due ON digests (host, due);
