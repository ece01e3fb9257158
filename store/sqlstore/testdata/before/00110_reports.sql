-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS reports (
    host TEXT NOT NULL, id INT8 NOT NULL, owner TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL, messages TEXT NOT NULL,
    PRIMARY KEY (host, id));
