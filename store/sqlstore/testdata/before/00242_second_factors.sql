-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS second_factors (
    host TEXT NOT NULL, owner TEXT NOT NULL, secret TEXT NOT NULL, confirmed INT8 NOT NULL, last_step INT8 NOT NULL, recovery TEXT NOT NULL,
    PRIMARY KEY (host, owner));
