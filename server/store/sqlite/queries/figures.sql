-- The minutes behind the charts.

-- name: save
INSERT INTO figures (at, seconds, minute) VALUES (?, ?, ?)
ON CONFLICT (at) DO UPDATE SET seconds = excluded.seconds, minute = excluded.minute

-- name: read
SELECT at, seconds, minute FROM figures WHERE at >= ? ORDER BY at

-- name: drop_old
DELETE FROM figures WHERE at IN (SELECT at FROM figures WHERE at < :before ORDER BY at LIMIT :limit)
