-- What an action on many sessions did to each of them: too much for the action's own row in the audit log.

CREATE TABLE audit_result (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    action_id TEXT NOT NULL,
    session TEXT NOT NULL,
    result TEXT NOT NULL
) STRICT;

CREATE INDEX audit_result_action ON audit_result (action_id, session);
CREATE INDEX audit_result_session ON audit_result (session, action_id);
