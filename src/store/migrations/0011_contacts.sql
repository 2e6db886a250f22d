-- Who called: one row a number and owner, written in the transaction that ends a call.

CREATE TABLE contacts (
    id                INTEGER PRIMARY KEY,
    owner_id          INTEGER,              -- the owner of the assistants called; NULL is the agency
    number            TEXT NOT NULL,        -- E.164
    name              TEXT,
    name_by_hand      INTEGER NOT NULL DEFAULT 0,   -- what a person wrote is not overwritten by a call
    language          TEXT NOT NULL,
    language_by_hand  INTEGER NOT NULL DEFAULT 0,
    notes             TEXT,
    recording_consent TEXT,                 -- what was said to being recorded the last time it was asked
    first_call_at     INTEGER NOT NULL,
    last_call_at      INTEGER NOT NULL,
    calls             INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contacts_by_number ON contacts (number, coalesce(owner_id, 0));
CREATE INDEX contacts_by_last_call ON contacts (last_call_at);
