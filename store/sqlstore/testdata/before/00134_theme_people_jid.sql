-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS theme_people_jid ON theme_people (host, jid);
