-- What the charts are drawn from: one row for each minute, its counters as JSON.

CREATE TABLE figures (
    at INTEGER PRIMARY KEY,          -- when the minute begins
    seconds INTEGER NOT NULL,
    minute TEXT NOT NULL
) STRICT;
