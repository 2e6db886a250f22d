-- What stands in calendars of others, as it was last read: it takes up places like a booking.
CREATE TABLE calendar_busy (
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    place         TEXT NOT NULL,             -- the name of the calendar in the assistant's file
    resource      TEXT,                      -- whose it is; NULL: everybody's
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX calendar_busy_by_time ON calendar_busy (assistant_id, ends_at);
