-- What bookings occupy, how callers find them again, and places held while a caller decides.

ALTER TABLE bookings ADD COLUMN reference TEXT NOT NULL DEFAULT '';   -- what callers are told
ALTER TABLE bookings ADD COLUMN service TEXT;
ALTER TABLE bookings ADD COLUMN resource TEXT;
ALTER TABLE bookings ADD COLUMN nights INTEGER;
ALTER TABLE bookings ADD COLUMN note TEXT;
ALTER TABLE bookings ADD COLUMN language TEXT NOT NULL DEFAULT 'fr-FR';
ALTER TABLE bookings ADD COLUMN free_at INTEGER NOT NULL DEFAULT 0;   -- when others may have the place
ALTER TABLE bookings ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bookings ADD COLUMN cancelled_at INTEGER;
-- Callers of then were told the number of the row.
UPDATE bookings SET reference = CAST(id AS TEXT), free_at = ends_at, updated_at = created_at,
    language = coalesce((SELECT language FROM calls WHERE calls.id = bookings.call_id), 'fr-FR');
CREATE UNIQUE INDEX bookings_by_reference ON bookings (reference, assistant_id);
CREATE INDEX bookings_by_caller ON bookings (assistant_id, caller) WHERE caller IS NOT NULL;

-- One a call, and only for a few minutes.
CREATE TABLE holds (
    call_id       INTEGER PRIMARY KEY REFERENCES calls (id),
    assistant_id  INTEGER NOT NULL,
    starts_at     INTEGER NOT NULL,
    free_at       INTEGER NOT NULL,
    party         INTEGER NOT NULL,
    resource      TEXT,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX holds_by_time ON holds (assistant_id, starts_at);

-- A client's bookings as a calendar to subscribe to: whoever has the address sees them.
CREATE TABLE calendar_feeds (
    assistant_id  INTEGER PRIMARY KEY REFERENCES assistants (id),
    hash          BLOB NOT NULL UNIQUE,      -- SHA-256 of the token in the address, which is random
    created_at    INTEGER NOT NULL
) STRICT;
