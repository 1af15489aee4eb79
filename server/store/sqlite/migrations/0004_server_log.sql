-- The log of the whole server is read by `event.id`. What is rare in it is found without reading the rest: errors, and
-- the kinds that no message on the wire has. Requests, answers and notifications cost these indexes nothing.

CREATE INDEX event_errors ON event (id) WHERE error_code IS NOT NULL;
CREATE INDEX event_rare ON event (kind, id) WHERE kind NOT IN ('request', 'response', 'notification');
