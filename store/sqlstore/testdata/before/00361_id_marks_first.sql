-- +goose NO TRANSACTION
-- +goose Up
-- Of what was kept before there were marks. It reads each archive's keys once, at this upgrade.
INSERT INTO id_marks (node, upto)
    SELECT '', COALESCE(MAX(id), 0) FROM (
        SELECT MAX(id) AS id FROM archive UNION ALL SELECT MAX(id) AS id FROM room_archive UNION ALL SELECT MAX(id) AS id FROM offline
        UNION ALL SELECT MAX(seq) AS id FROM node_items UNION ALL SELECT MAX(id) AS id FROM audit UNION ALL SELECT MAX(id) AS id FROM reports
        UNION ALL SELECT MAX(id) AS id FROM outbox UNION ALL SELECT MAX(id) AS id FROM invite_events UNION ALL SELECT MAX(id) AS id FROM deliveries
    ) AS kept WHERE TRUE
    ON CONFLICT (node) DO UPDATE SET upto = excluded.upto WHERE id_marks.upto < excluded.upto;
