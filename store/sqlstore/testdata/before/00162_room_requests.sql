-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS room_requests (
    host TEXT NOT NULL, room TEXT NOT NULL, jid TEXT NOT NULL, nick TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, room, jid));
