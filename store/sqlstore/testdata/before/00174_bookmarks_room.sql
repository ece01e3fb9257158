-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS bookmarks_room ON bookmarks (host, room, owner);
