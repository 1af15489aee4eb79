-- Broadcasts and their receipts.

-- name: create
INSERT INTO broadcast (
    id, created, actor, text, level, filter, exclude, status, audience, expires, idempotency_key,
    method, logger, is_json, is_queued, is_trial, group_name, sender
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: add_receipts
-- One statement whatever the number; the sessions come as a JSON array of pairs with their clients' names.
INSERT INTO receipt (broadcast, session, status, at, client)
SELECT :broadcast, json_extract(value, '$[0]'), 'pending', :at, json_extract(value, '$[1]') FROM json_each(:sessions)

-- name: add_count
INSERT INTO receipt_count (broadcast, status, count) VALUES (?, 'pending', ?)

-- name: settle
UPDATE receipt SET status = :status, at = :at, reason = :reason, seq = :seq
WHERE broadcast = (SELECT no FROM broadcast WHERE id = :broadcast) AND session = :session

-- name: set_status
UPDATE broadcast SET status = ? WHERE id = ?

-- name: get
SELECT id, created, actor, text, level, filter, exclude, status, audience, no, expires, idempotency_key,
    method, logger, is_json, is_queued, is_trial, group_name, sender
FROM broadcast WHERE id = ?

-- name: by_idempotency_key
SELECT id, created, actor, text, level, filter, exclude, status, audience, no, expires, idempotency_key,
    method, logger, is_json, is_queued, is_trial, group_name, sender
FROM broadcast WHERE idempotency_key = ?

-- name: list
SELECT id, created, actor, text, level, filter, exclude, status, audience, no, expires, idempotency_key,
    method, logger, is_json, is_queued, is_trial, group_name, sender
FROM broadcast
WHERE (:before IS NULL OR no < (SELECT no FROM broadcast WHERE id = :before))
    AND (:group IS NULL OR group_name = :group)
ORDER BY no DESC LIMIT :limit

-- name: counts
SELECT status, count FROM receipt_count WHERE broadcast = ?

-- name: receipts
SELECT session, status, at, reason, seq, client FROM receipt
WHERE broadcast = (SELECT no FROM broadcast WHERE id = :broadcast) AND session > :after
    AND (:status IS NULL OR status = :status)
ORDER BY session LIMIT :limit

-- name: receipts_of
SELECT session, status, at, reason, seq, client FROM receipt
WHERE broadcast = (SELECT no FROM broadcast WHERE id = :broadcast)
    AND session IN (SELECT value FROM json_each(:sessions))
ORDER BY session

-- name: queued
SELECT b.id, r.session, r.status, r.at, r.reason, r.seq, r.client
FROM broadcast b JOIN receipt r ON r.broadcast = b.no AND r.status = 'queued'
WHERE b.expires > :now ORDER BY b.no, r.session

-- name: last_trial
SELECT r.session FROM broadcast b JOIN receipt r ON r.broadcast = b.no
WHERE b.actor = ? AND b.is_trial = 1 ORDER BY b.no DESC LIMIT 1

-- name: old
SELECT no FROM broadcast WHERE created <= :before ORDER BY no LIMIT 1

-- name: drop_receipts
DELETE FROM receipt WHERE broadcast = :broadcast AND session IN (
    SELECT session FROM receipt WHERE broadcast = :broadcast LIMIT :limit
)

-- name: drop_counts
DELETE FROM receipt_count WHERE broadcast = ?

-- name: drop
DELETE FROM broadcast WHERE no = ?
