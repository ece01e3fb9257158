-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS private_data (
    host TEXT NOT NULL, owner TEXT NOT NULL, space TEXT NOT NULL, local TEXT NOT NULL, data BYTEA NOT NULL,
    PRIMARY KEY (host, owner, space, local));
