-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS affiliations (
    host TEXT NOT NULL, room TEXT NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL, nick TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (host, room, jid));
