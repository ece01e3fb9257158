-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS digests (
    host TEXT NOT NULL, owner TEXT NOT NULL, every TEXT NOT NULL, told INT8 NOT NULL, due INT8 NOT NULL,
    PRIMARY KEY (host, owner));
