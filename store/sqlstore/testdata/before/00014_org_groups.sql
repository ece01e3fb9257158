-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS org_groups (
    host TEXT NOT NULL, id TEXT NOT NULL, slug TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    private INT8 NOT NULL, themes_by TEXT NOT NULL, created INT8 NOT NULL, deleted INT8 NOT NULL,
    PRIMARY KEY (host, id));
