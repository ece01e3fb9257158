-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS quiet_hours (
    host TEXT NOT NULL, owner TEXT NOT NULL, active INT8 NOT NULL, starts INT8 NOT NULL, ends INT8 NOT NULL, days INT8 NOT NULL,
    zone TEXT NOT NULL, paused INT8 NOT NULL,
    PRIMARY KEY (host, owner));
