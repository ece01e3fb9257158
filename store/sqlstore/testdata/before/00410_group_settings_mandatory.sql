-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS group_settings_mandatory ON group_settings (host, mandatory);
