-- How far it was looked for what is due to be forgotten, so that the next look begins there and not
-- with the oldest call. A call of before that is entered later has a newer row, and is found by it.
CREATE TABLE looked_for (
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id) ON DELETE CASCADE,
    what          TEXT NOT NULL CHECK (what IN ('transcripts', 'callers')),
    until         INTEGER NOT NULL,          -- of calls that began before, nothing is due any more
    PRIMARY KEY (assistant_id, what)
) STRICT, WITHOUT ROWID;
ALTER TABLE forgetting ADD COLUMN newest_call INTEGER NOT NULL DEFAULT 0;  -- of the last look

-- Bookings of people who are still named: the many of the past are not looked through again.
CREATE INDEX bookings_named ON bookings (assistant_id, ends_at)
    WHERE name <> '' OR caller IS NOT NULL OR note IS NOT NULL;
