-- Who was rung when a call was handed over, one row a human, and what came of it.

CREATE TABLE transfers (
    call_id     INTEGER NOT NULL REFERENCES calls (id),
    turn        INTEGER NOT NULL,           -- the turn that handed it over
    attempt     INTEGER NOT NULL,           -- from 1 for each such turn
    name        TEXT,                       -- as the assistant's file had it then
    number      TEXT NOT NULL,              -- E.164
    warm        INTEGER NOT NULL,           -- whether the human takes it with a key
    rang_at     INTEGER NOT NULL,
    takes       INTEGER,                    -- the key: 1 taken, 0 refused
    outcome     TEXT,                       -- domain::HandoverOutcome; NULL while it goes on
    duration_s  INTEGER,
    PRIMARY KEY (call_id, turn, attempt)
) STRICT, WITHOUT ROWID;

-- A message that was spoken after nobody took a call.
ALTER TABLE messages ADD COLUMN recording_url TEXT;
ALTER TABLE messages ADD COLUMN recording_s INTEGER;
CREATE INDEX messages_with_recording ON messages (assistant_id) WHERE recording_url IS NOT NULL;
