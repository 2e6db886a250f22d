-- What happened, for those outside who are told: one row for each of them, written with what it tells.

CREATE TABLE deliveries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id    TEXT NOT NULL UNIQUE,      -- the name it is delivered under, however often
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    call_id       INTEGER REFERENCES calls (id),
    destination   TEXT NOT NULL,             -- the name of the place in the assistant's file
    kind          TEXT NOT NULL,             -- domain::DestinationKind
    event         TEXT NOT NULL,             -- domain::DeliveryEvent
    source        TEXT NOT NULL,             -- what it tells: told once
    contact       TEXT,                      -- who called: told in order; NULL once forgotten
    payload       TEXT,                      -- JSON as it is sent; NULL once forgotten
    state         TEXT NOT NULL,             -- domain::DeliveryState
    created_at    INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,          -- not tried again after this
    attempts      INTEGER NOT NULL DEFAULT 0,
    leased_until  INTEGER,                   -- a daemon is at it
    progress      TEXT,                      -- JSON: what the place has of it already
    failure       TEXT,
    settled_at    INTEGER,                   -- when it arrived, or was given up
    UNIQUE (assistant_id, destination, source)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX deliveries_in_order ON deliveries (assistant_id, destination, contact, id)
    WHERE state = 'pending';
CREATE INDEX deliveries_by_call ON deliveries (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX deliveries_by_contact ON deliveries (contact) WHERE contact IS NOT NULL;
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
