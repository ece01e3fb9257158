-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS reports_owner ON reports (host, owner);
