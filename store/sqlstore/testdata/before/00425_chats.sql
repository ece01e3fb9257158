-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS chats (
    host TEXT NOT NULL, owner TEXT NOT NULL, chat TEXT NOT NULL, last INT8 NOT NULL,
    PRIMARY KEY (host, owner, chat));
