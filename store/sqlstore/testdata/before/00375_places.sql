-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS places (
    host TEXT NOT NULL, owner TEXT NOT NULL, network TEXT NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, owner, network));
