-- Event logs: appending, reading, cutting back.

-- name: append
INSERT INTO event (
    session, seq, epoch, at, direction, kind, method, stream, request_id, size, duration_us, error_code, related_seq,
    expires, payload, sealed, start
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: newest
-- Where a log ends: its newest event, and the bytes before and in it.
SELECT seq, start, coalesce(length(payload), 0) + coalesce(length(sealed), 0)
FROM event WHERE session = ? ORDER BY seq DESC LIMIT 1

-- name: oldest
SELECT seq, start FROM event WHERE session = ? ORDER BY seq LIMIT 1

-- name: start
SELECT start FROM event WHERE session = ? AND seq >= ? ORDER BY seq LIMIT 1

-- name: trimmed
SELECT max(
    coalesce((SELECT trimmed_seq FROM session WHERE no = :session), 0),
    coalesce((SELECT min(seq) FROM event WHERE session = :session) - 1, 0)
)

-- name: stream_trimmed
SELECT coalesce((SELECT upto FROM stream_trimmed WHERE session = :session AND stream = :stream), 0)

-- name: has_holes
SELECT 1 FROM stream_trimmed WHERE session = ? AND upto >= ? LIMIT 1

-- name: sizes
-- What each event of a log counts, the newest first: 128 bytes and its texts, as in limits.py.
SELECT seq, 128 + coalesce(length(payload), 0) + coalesce(length(sealed), 0)
FROM event WHERE session = ? ORDER BY seq DESC

-- name: sizes_of_stream
SELECT seq, 128 + coalesce(length(payload), 0) + coalesce(length(sealed), 0)
FROM event WHERE session = ? AND stream = ? AND direction = 'from_server' ORDER BY seq

-- name: drop_of_stream
DELETE FROM event
WHERE session = :session AND seq >= :first AND seq < :end AND stream = :stream AND direction = 'from_server'
RETURNING 128 + coalesce(length(payload), 0) + coalesce(length(sealed), 0)

-- name: note_stream_trimmed
INSERT INTO stream_trimmed (session, stream, upto) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)

-- name: forget_stream_trimmed
DELETE FROM stream_trimmed WHERE session = ? AND upto <= ?

-- name: read
-- {payload}, {conditions} and {order} come from the query; see events.py.
SELECT
    seq, epoch, at, direction, kind, method, stream, request_id, size, duration_us, error_code, related_seq, expires,
    {payload}, sealed
FROM event WHERE session = :session AND seq > :after {conditions} ORDER BY seq {order} LIMIT :limit

-- name: drop
DELETE FROM event WHERE session = ? AND seq <= ?

-- name: note_trimmed
UPDATE session SET trimmed_seq = max(trimmed_seq, :seq) WHERE no = :session

-- name: first_rows
SELECT id, session, seq, at FROM event ORDER BY id LIMIT :limit

-- name: drop_rows
DELETE FROM event WHERE id <= ?

-- name: ids_and_times
SELECT id, at FROM event WHERE id > :after ORDER BY id LIMIT :limit

-- name: drop_payloads
-- What an operator sent waits for its client until it expires, and goes with its event after that.
UPDATE event SET payload = NULL, sealed = NULL
WHERE id > :after AND id <= :upto AND direction = 'from_server' AND payload IS NOT NULL
AND (expires IS NULL OR expires <= :now)

-- name: drop_old_of_streams
-- A call's answer stays with its call, the newest event of a log says where its numbers go on, and what an operator sent
-- waits for its client.
DELETE FROM event
WHERE id > :after AND id <= :upto AND direction = 'from_server' AND stream IS NOT NULL
AND kind NOT IN ('response', 'error') AND (expires IS NULL OR expires <= :now)
AND seq < (SELECT max(newer.seq) FROM event newer WHERE newer.session = event.session)
RETURNING session, stream, seq

-- name: drop_some
DELETE FROM event WHERE id IN (SELECT id FROM event WHERE session = :session ORDER BY seq LIMIT :limit)

-- name: newest_id
SELECT coalesce(max(id), 0) FROM event

-- name: oldest_id
SELECT coalesce(min(id), 0) FROM event

-- name: at_or_after
-- Rows are added in order of time but for the writers' patience, so a time is found by bisection.
SELECT at FROM event WHERE id >= ? ORDER BY id LIMIT 1

-- name: server_read
-- {index}, {conditions} and {payload} come from the query; see server_log.py.
SELECT
    e.id, s.sref, s.kind, s.client,
    e.seq, e.epoch, e.at, e.direction, e.kind, e.method, e.stream, e.request_id, e.size, e.duration_us, e.error_code,
    e.related_seq, e.expires, {payload}
FROM event e {index} CROSS JOIN session s ON s.no = e.session
WHERE e.id > :after AND e.id < :before {conditions} ORDER BY {order} DESC LIMIT :limit
