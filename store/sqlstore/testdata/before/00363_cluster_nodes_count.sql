-- +goose NO TRANSACTION
-- +goose Up
-- No node: it counts incarnations, and who wants to be a node locks it.
INSERT INTO cluster_nodes (id, incarnation, address, scope, place, version, started, draining) VALUES ('', 0, '', '', '', '', 0, 0)
    ON CONFLICT (id) DO NOTHING;
