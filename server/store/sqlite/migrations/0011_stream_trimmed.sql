-- Streams that lost their oldest events while their session's log went on: nothing that the server sent up to there is
-- kept. Few have a row here, and it goes once the whole log has been cut back so far.

CREATE TABLE stream_trimmed (
    session INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (session, stream)
) STRICT, WITHOUT ROWID;
