-- Everything that lists and filters read of ended sessions, so that counting and sorting 100,000 of them reads no rows.
-- A session comes in once, when it ends; live ones cost nothing here.

CREATE INDEX session_counted ON session (
    state, kind, client, client_version, protocol, principal, server, worker, address, sref, sid_prefix, requests, errors,
    keys, created, last_activity
) WHERE state IN ('rejected', 'closed', 'expired');
