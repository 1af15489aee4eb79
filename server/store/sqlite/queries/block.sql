-- Whom the server refuses.

-- name: put
INSERT OR REPLACE INTO block (id, kind, value, reason, created, actor, expires) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: remove
DELETE FROM block WHERE id = ?

-- name: all
SELECT id, kind, value, reason, created, actor, expires FROM block ORDER BY created, id
