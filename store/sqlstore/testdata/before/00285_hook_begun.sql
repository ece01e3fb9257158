-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS hook_begun (
    host TEXT NOT NULL, hook TEXT NOT NULL, idem TEXT NOT NULL, since INT8 NOT NULL, PRIMARY KEY (host, hook, idem));
