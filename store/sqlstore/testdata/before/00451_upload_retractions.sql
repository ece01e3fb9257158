-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS upload_retractions (
    host TEXT NOT NULL, id TEXT NOT NULL, due INT8 NOT NULL,
    PRIMARY KEY (host, id));
