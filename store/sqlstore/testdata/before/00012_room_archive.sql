-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS room_archive (
    host TEXT NOT NULL, room TEXT NOT NULL, seq INT8 NOT NULL, id INT8 NOT NULL, nick TEXT NOT NULL, occupant_id TEXT NOT NULL,
    sender TEXT NOT NULL, origin_id TEXT NOT NULL, subject INT8 NOT NULL, stanza BYTEA NOT NULL,
    PRIMARY KEY (host, room, seq));
