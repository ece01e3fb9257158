-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS displayed (
    host TEXT NOT NULL, owner TEXT NOT NULL, chat TEXT NOT NULL, id INT8 NOT NULL, PRIMARY KEY (host, owner, chat));
