-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS web_sessions_owner ON web_sessions (host, owner);
