-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS hook_keys (
    host TEXT NOT NULL, hook TEXT NOT NULL, idem TEXT NOT NULL, id INT8 NOT NULL, PRIMARY KEY (host, hook, idem));
