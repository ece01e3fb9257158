-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS node_affiliations_jid ON node_affiliations (host, owner, jid);
