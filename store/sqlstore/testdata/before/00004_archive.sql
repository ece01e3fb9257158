-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS archive (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, with_bare TEXT NOT NULL, with_res TEXT NOT NULL,
    incoming INT8 NOT NULL, origin_id TEXT NOT NULL, stanza BYTEA NOT NULL,
    PRIMARY KEY (host, owner, id));
