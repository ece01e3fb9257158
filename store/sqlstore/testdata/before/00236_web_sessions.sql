-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS web_sessions (
    host TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, created INT8 NOT NULL, seen INT8 NOT NULL, expires INT8 NOT NULL,
    proven INT8 NOT NULL, remote TEXT NOT NULL, agent TEXT NOT NULL,
    PRIMARY KEY (host, hash));
