-- Sealed texts, for re-sealing them under another key.

-- name: stale_values
SELECT kv.session, kv.name, session.sref, kv.sealed FROM kv JOIN session ON session.no = kv.session
WHERE kv.sealed IS NOT NULL AND kv.key_id IS NOT :newest AND (kv.session, kv.name) > (:session, :name)
ORDER BY kv.session, kv.name LIMIT :limit

-- name: stale_events
SELECT event.session, event.seq, session.sref, event.sealed FROM event JOIN session ON session.no = event.session
WHERE event.sealed IS NOT NULL AND substr(event.sealed, 1, length(:prefix)) <> :prefix
AND (event.session, event.seq) > (:session, :seq)
ORDER BY event.session, event.seq LIMIT :limit

-- name: replace_value
UPDATE kv SET sealed = :new, key_id = :key_id WHERE session = :session AND name = :name AND sealed = :old

-- name: replace_event
UPDATE event SET sealed = :new WHERE session = :session AND seq = :seq AND sealed = :old
