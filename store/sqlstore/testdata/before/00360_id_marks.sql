-- +goose NO TRANSACTION
-- +goose Up
-- Ids of a node begin above its mark. SQLite makes this table before migrations are run, too.
CREATE TABLE IF NOT EXISTS id_marks (node TEXT NOT NULL PRIMARY KEY, upto INT8 NOT NULL);
