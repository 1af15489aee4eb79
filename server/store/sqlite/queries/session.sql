-- Sessions.

-- name: save
-- {columns}, {places} and {updates} come from the column list in records.py. What retention has dropped is known here
-- before the engine's record knows it.
INSERT INTO session ({columns}) VALUES ({places})
ON CONFLICT (no) DO UPDATE SET {updates}, trimmed_seq = max(trimmed_seq, excluded.trimmed_seq)

-- name: live
SELECT {columns}, {figures} FROM session s WHERE state NOT IN ('rejected', 'closed', 'expired') ORDER BY no

-- name: by_hash
SELECT {columns}, {figures} FROM session s WHERE sid_hash = :sid_hash ORDER BY no DESC LIMIT 1

-- name: by_reference
SELECT {columns}, {figures} FROM session s WHERE sref = :sref ORDER BY no DESC LIMIT 1

-- name: figures
-- After a crash the row may be older than the log and the keys, which are committed at once. The end of the log is only
-- ever read from the log, so that a row that outlived newer events leaves no gap in their numbers.
max(s.trimmed_seq, coalesce((SELECT max(e.seq) FROM event e WHERE e.session = s.no), 0)),
(SELECT count(*) FROM kv k WHERE k.session = s.no AND (k.expires IS NULL OR k.expires > :now))

-- name: ended
-- The page is found through an index alone, and only its rows are read: those of 100,000 sessions would take a second.
SELECT {columns}, {figures} FROM session s
WHERE no IN (
    SELECT no FROM session s {index}
    WHERE state IN ('rejected', 'closed', 'expired') AND kind <> 'client' {conditions}
    ORDER BY {sort} {direction}, sref {direction} LIMIT :limit
)
ORDER BY {sort} {direction}, sref {direction}

-- name: count_ended
SELECT state, count(*) FROM session s
WHERE state IN ('rejected', 'closed', 'expired') AND kind <> 'client' {conditions} GROUP BY state

-- name: ended_numbers
SELECT no FROM session s
WHERE state IN ('rejected', 'closed', 'expired') AND kind <> 'client' {conditions}
ORDER BY last_activity DESC, sref DESC LIMIT :limit

-- name: over
-- Ended sessions whose time is up.
SELECT no FROM session
WHERE state IN ('rejected', 'closed', 'expired')
    AND coalesce(ended, last_activity) <= CASE state WHEN 'rejected' THEN :rejected_before ELSE :ended_before END
LIMIT :limit

-- name: drop
DELETE FROM session WHERE no = ?

-- name: highest_no
SELECT max(
    coalesce((SELECT max(no) FROM session), 0),
    coalesce((SELECT max(session) FROM event), 0),
    coalesce((SELECT max(session) FROM kv), 0),
    coalesce((SELECT value FROM meta WHERE name = 'highest_no'), 0)
)

-- name: set_meta
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value

-- name: get_meta
SELECT value FROM meta WHERE name = ?

-- name: remember
-- A refused handshake is not remembered: its id was never given to the client, and a hostile one can make many.
INSERT OR REPLACE INTO ended_id (
    sid_hash, sref, kind, state, server, client, client_version, principal_key, end_code, end_by, end_reason, ended
)
SELECT
    sid_hash, sref, kind, state, server, client, client_version, principal_key, end_code, end_by, end_reason,
    coalesce(ended, last_activity)
FROM session WHERE no = ? AND sid_hash IS NOT NULL AND state <> 'rejected'

-- name: remembered
SELECT sid_hash, sref, kind, state, server, client, client_version, principal_key, end_code, end_by, end_reason, ended
FROM ended_id WHERE sid_hash = ?

-- name: forget_old
DELETE FROM ended_id WHERE no IN (SELECT no FROM ended_id WHERE ended <= :before ORDER BY ended LIMIT :limit)

-- name: forget_surplus
DELETE FROM ended_id WHERE no IN (
    SELECT no FROM ended_id WHERE no <= (SELECT max(no) FROM ended_id) - :kept ORDER BY no LIMIT :limit
)
