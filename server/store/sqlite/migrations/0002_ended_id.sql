-- What is remembered of a session after its row and its log were dropped, so that a client that comes back with its id
-- can be told what became of it. Rows are added at the end and dropped from the front, like those of `event`.

CREATE TABLE ended_id (
    no INTEGER PRIMARY KEY,
    sid_hash BLOB NOT NULL UNIQUE,
    sref TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    client TEXT NOT NULL,
    client_version TEXT NOT NULL,
    principal_key TEXT,
    end_code TEXT,
    end_by TEXT,
    end_reason TEXT,
    ended REAL NOT NULL
) STRICT;

CREATE INDEX ended_id_ended ON ended_id (ended);
