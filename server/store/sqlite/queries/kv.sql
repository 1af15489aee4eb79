-- Stored keys. Expired ones are as good as absent everywhere.

-- name: get
SELECT name, value, version, size, updated, expires, key_id FROM kv
WHERE session = :session AND name = :name AND (expires IS NULL OR expires > :now)

-- name: sealed
SELECT sealed FROM kv WHERE session = :session AND name = :name AND (expires IS NULL OR expires > :now)

-- name: list
SELECT name, value, version, size, updated, expires, key_id FROM kv
WHERE session = :session AND (expires IS NULL OR expires > :now) ORDER BY name

-- name: others
SELECT count(*), coalesce(sum(size), 0) FROM kv
WHERE session = :session AND name <> :name AND (expires IS NULL OR expires > :now)

-- name: put
INSERT OR REPLACE INTO kv (session, name, value, sealed, key_id, version, size, updated, expires)
VALUES (:session, :name, :value, :sealed, :key_id, :version, :size, :now, :expires)

-- name: delete
DELETE FROM kv WHERE session = :session AND name = :name

-- name: count
SELECT count(*) FROM kv WHERE session = :session AND (expires IS NULL OR expires > :now)

-- name: clear
DELETE FROM kv WHERE session = :session

-- name: drop_expired
DELETE FROM kv WHERE (session, name) IN (
    SELECT session, name FROM kv WHERE expires IS NOT NULL AND expires <= :now LIMIT :limit
) RETURNING session, name

-- name: has_expired
SELECT 1 FROM kv WHERE expires IS NOT NULL AND expires <= :now LIMIT 1
