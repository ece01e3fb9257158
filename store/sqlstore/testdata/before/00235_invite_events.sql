-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS invite_events (
    host TEXT NOT NULL, invite TEXT NOT NULL, id INT8 NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (host, invite, id));
