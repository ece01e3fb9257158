-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS person_shown (
    host TEXT NOT NULL, owner TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, title TEXT NOT NULL, department TEXT NOT NULL,
    PRIMARY KEY (host, owner));
