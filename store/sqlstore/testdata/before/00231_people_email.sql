-- +goose NO TRANSACTION
-- +goose Up
CREATE UNIQUE INDEX IF NOT EXISTS people_email ON people (host, email_key) WHERE email_key <> '';
