-- Times are Unix seconds, sizes are bytes. Rows of `event` are only ever added at the end and removed
-- from the front, so a plain rowid with one unique index is the fastest layout (measured against
-- clustered keys and ring tables).

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    no INTEGER PRIMARY KEY,
    sref TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    worker TEXT NOT NULL,
    created REAL NOT NULL,
    last_activity REAL NOT NULL,
    sid_hash BLOB,
    sid_prefix TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    epochs TEXT NOT NULL,            -- JSON: [[epoch, first seq], …]
    principal TEXT,
    principal_key TEXT,
    client TEXT NOT NULL,
    client_version TEXT NOT NULL,
    protocol TEXT NOT NULL,
    address TEXT NOT NULL,
    init TEXT,
    is_initialized INTEGER NOT NULL,
    ended REAL,
    end_code TEXT,
    end_by TEXT,
    end_reason TEXT,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    trimmed_seq INTEGER NOT NULL,
    delivered_seq INTEGER NOT NULL,
    log_level TEXT,
    idle_seconds REAL,
    lifetime_seconds REAL
) STRICT;

CREATE INDEX session_sref ON session (sref);
CREATE INDEX session_sid_hash ON session (sid_hash) WHERE sid_hash IS NOT NULL;
-- Only ended sessions are ever listed from here, so the counters of live ones touch no index.
CREATE INDEX session_ended ON session (last_activity, sref) WHERE state IN ('rejected', 'closed', 'expired');
CREATE INDEX session_live ON session (no) WHERE state NOT IN ('rejected', 'closed', 'expired');

CREATE TABLE event (
    id INTEGER PRIMARY KEY,          -- order of appending, over all sessions
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at REAL NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT,
    stream INTEGER,
    request_id TEXT,
    size INTEGER NOT NULL,
    duration_us INTEGER,
    error_code INTEGER,
    related_seq INTEGER,
    expires REAL,
    payload TEXT,
    start INTEGER NOT NULL           -- bytes of the session's log before this event, dropped ones included
) STRICT;

CREATE UNIQUE INDEX event_session_seq ON event (session, seq);

CREATE TABLE kv (
    session INTEGER NOT NULL,
    name BLOB NOT NULL,              -- UTF-8 with surrogates, so that any two different names stay different
    value TEXT,
    sealed BLOB,
    key_id TEXT,
    version INTEGER NOT NULL,
    size INTEGER NOT NULL,
    updated REAL NOT NULL,
    expires REAL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    action_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX audit_action_id ON audit (action_id, id);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_target ON audit (target, id);

CREATE TABLE broadcast (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    level TEXT NOT NULL,
    filter TEXT NOT NULL,
    exclude TEXT NOT NULL,
    status TEXT NOT NULL,
    audience INTEGER NOT NULL,
    expires REAL NOT NULL,
    idempotency_key TEXT UNIQUE
) STRICT;

CREATE TABLE receipt (
    broadcast INTEGER NOT NULL,
    session TEXT NOT NULL,
    status TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT,
    seq INTEGER,
    PRIMARY KEY (broadcast, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipt_queued ON receipt (broadcast, session) WHERE status = 'queued';

-- Figures of a broadcast with 100,000 receipts are read on every page load, so they are kept.
CREATE TABLE receipt_count (
    broadcast INTEGER NOT NULL,
    status TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (broadcast, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER receipt_settled AFTER UPDATE OF status ON receipt WHEN old.status <> new.status
BEGIN
    UPDATE receipt_count SET count = count - 1 WHERE broadcast = old.broadcast AND status = old.status;
    INSERT INTO receipt_count (broadcast, status, count) VALUES (new.broadcast, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
