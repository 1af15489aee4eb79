-- The whole of a message whose payload has secrets masked, sealed; re-sealing finds those rows by the index.
ALTER TABLE event ADD COLUMN sealed TEXT;
CREATE INDEX event_sealed ON event (session, seq) WHERE sealed IS NOT NULL;
