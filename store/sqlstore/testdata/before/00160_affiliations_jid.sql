-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS affiliations_jid ON affiliations (host, jid);
