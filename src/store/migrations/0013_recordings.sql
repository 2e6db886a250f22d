-- Recordings that are kept here instead of at Twilio, or will be.
CREATE TABLE recordings_here (
    sid         TEXT PRIMARY KEY,          -- as Twilio calls it; the file is named after it
    account_sid TEXT NOT NULL,
    call_sid    TEXT NOT NULL,
    due_at      INTEGER,                   -- when it is fetched next; NULL: it is here
    attempts    INTEGER NOT NULL DEFAULT 0,
    failure     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX recordings_to_fetch ON recordings_here (due_at) WHERE due_at IS NOT NULL;
