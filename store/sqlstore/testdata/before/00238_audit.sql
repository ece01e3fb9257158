-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS audit (
    host TEXT NOT NULL, id INT8 NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL,
    remote TEXT NOT NULL,
    PRIMARY KEY (host, id));
