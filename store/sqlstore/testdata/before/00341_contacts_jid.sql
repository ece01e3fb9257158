-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS contacts_jid ON contacts (host, jid, owner);
