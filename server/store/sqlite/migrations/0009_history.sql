-- The states a session went through, as JSON: when, which, why and by whom.

ALTER TABLE session ADD COLUMN history TEXT NOT NULL DEFAULT '[]';
