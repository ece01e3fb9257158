-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS outbox (
    host TEXT NOT NULL, id INT8 NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, plain TEXT NOT NULL, html TEXT NOT NULL,
    invite TEXT NOT NULL, state TEXT NOT NULL, attempts INT8 NOT NULL, due INT8 NOT NULL, error TEXT NOT NULL, done INT8 NOT NULL,
    PRIMARY KEY (host, id));
