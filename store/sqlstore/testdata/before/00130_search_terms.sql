-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS search_terms (
    host TEXT NOT NULL, owner TEXT NOT NULL, term BYTEA NOT NULL, high INT8 NOT NULL, low INT8 NOT NULL, ids BYTEA NOT NULL,
    PRIMARY KEY (host, owner, term, high));
