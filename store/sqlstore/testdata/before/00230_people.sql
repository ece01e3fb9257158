-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS people (
    host TEXT NOT NULL, owner TEXT NOT NULL, role TEXT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL, phone TEXT NOT NULL,
    title TEXT NOT NULL, department TEXT NOT NULL, lang TEXT NOT NULL, archived INT8 NOT NULL, updated INT8 NOT NULL,
    PRIMARY KEY (host, owner));
