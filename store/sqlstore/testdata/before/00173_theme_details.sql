-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS theme_details (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, archived INT8 NOT NULL, source_room TEXT NOT NULL, source_id INT8 NOT NULL,
    thread TEXT NOT NULL,
    PRIMARY KEY (host, theme_key));
