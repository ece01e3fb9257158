-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS chat_marks (
    host TEXT NOT NULL, owner TEXT NOT NULL, upto INT8 NOT NULL,
    PRIMARY KEY (host, owner));
