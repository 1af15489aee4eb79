-- Whom a broadcast was for is told by name after the session has gone from the store.

ALTER TABLE receipt ADD COLUMN client TEXT NOT NULL DEFAULT '';
