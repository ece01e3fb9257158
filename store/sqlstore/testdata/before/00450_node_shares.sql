-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS node_shares (
    host TEXT NOT NULL, creator TEXT NOT NULL, bytes INT8 NOT NULL,
    PRIMARY KEY (host, creator));
