-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS members_jid ON members (host, jid, group_id);
