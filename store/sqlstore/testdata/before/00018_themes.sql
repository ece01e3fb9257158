-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS themes (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, group_id TEXT NOT NULL, slug TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
    restricted INT8 NOT NULL, creator TEXT NOT NULL, created INT8 NOT NULL, closed INT8 NOT NULL,
    PRIMARY KEY (host, theme_key));
