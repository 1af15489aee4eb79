-- Groups of sessions, blocks, and what a broadcast says beside its text. A group is there as long as it has a member.

CREATE TABLE membership (
    session TEXT NOT NULL,
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    joined REAL NOT NULL,
    PRIMARY KEY (session, server, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE block (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    created REAL NOT NULL,
    actor TEXT NOT NULL,
    expires REAL
) STRICT, WITHOUT ROWID;

ALTER TABLE broadcast ADD COLUMN method TEXT NOT NULL DEFAULT 'notifications/message';
ALTER TABLE broadcast ADD COLUMN logger TEXT NOT NULL DEFAULT 'switchroom';
ALTER TABLE broadcast ADD COLUMN is_json INTEGER NOT NULL DEFAULT 0;
ALTER TABLE broadcast ADD COLUMN is_queued INTEGER NOT NULL DEFAULT 1;
ALTER TABLE broadcast ADD COLUMN is_trial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE broadcast ADD COLUMN group_name TEXT NOT NULL DEFAULT '';
ALTER TABLE broadcast ADD COLUMN sender TEXT;

CREATE INDEX broadcast_trial ON broadcast (actor, no) WHERE is_trial = 1;
