-- +goose NO TRANSACTION
-- +goose Up
INSERT INTO audit_log (host, id, actor, action, target, detail, remote, door)
    SELECT host, id, actor, action, target, detail, remote, '' FROM audit WHERE TRUE ON CONFLICT (host, id) DO NOTHING;
