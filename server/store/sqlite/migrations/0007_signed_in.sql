ALTER TABLE session ADD COLUMN signed_in TEXT;       -- JSON: [user, at, expires, stamp]
