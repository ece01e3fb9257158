-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS retentions (
    host TEXT NOT NULL, owner TEXT NOT NULL, said INT8 NOT NULL, own INT8 NOT NULL,
    PRIMARY KEY (host, owner));
