-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS bookmarks (
    host TEXT NOT NULL, owner TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL, nick TEXT NOT NULL, password TEXT NOT NULL,
    autojoin INT8 NOT NULL, extensions BYTEA, updated INT8 NOT NULL,
    PRIMARY KEY (host, owner, room));
