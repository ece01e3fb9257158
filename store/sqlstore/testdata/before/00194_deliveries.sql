-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS deliveries (
    host TEXT NOT NULL, hook TEXT NOT NULL, room TEXT NOT NULL, id INT8 NOT NULL, event TEXT NOT NULL, body BYTEA NOT NULL,
    state TEXT NOT NULL, attempts INT8 NOT NULL, status INT8 NOT NULL, error TEXT NOT NULL, updated INT8 NOT NULL,
    PRIMARY KEY (host, hook, room, id));
