-- Which sessions are members of which groups.

-- name: join
INSERT INTO membership (session, server, name, joined) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: leave
DELETE FROM membership WHERE session = ? AND server = ? AND name = ?

-- name: forget
DELETE FROM membership WHERE session = ?

-- name: all
SELECT server, name, session, joined FROM membership ORDER BY joined, session, server, name
