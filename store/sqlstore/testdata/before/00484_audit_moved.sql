-- +goose NO TRANSACTION
-- +goose Up
-- The table itself stays, since an earlier migration reads it; nothing is written there any more.
DELETE FROM audit;
