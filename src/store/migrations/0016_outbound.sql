-- Calls that we make: asked for before Twilio is, so that nobody is dialled twice.

ALTER TABLE calls ADD COLUMN direction TEXT NOT NULL DEFAULT 'inbound';   -- domain::Direction
ALTER TABLE calls ADD COLUMN answered_by TEXT;                            -- domain::AnsweredBy

CREATE TABLE outbound_calls (
    id            INTEGER PRIMARY KEY,
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    number        TEXT NOT NULL,            -- E.164
    context       TEXT NOT NULL,            -- JSON: names and values
    opening       TEXT NOT NULL,            -- first words, filled in
    message       TEXT,                     -- what is left on an answering machine, filled in
    kind          TEXT NOT NULL,            -- domain::CallPurpose
    machine       TEXT NOT NULL,            -- domain::OnMachine
    state         TEXT NOT NULL,            -- domain::OutboundState
    failure       TEXT,
    answered_by   TEXT,
    call_sid      TEXT,
    tries         INTEGER NOT NULL DEFAULT 0,   -- how often Twilio said that it was too busy
    due_at        INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    asked_at      INTEGER NOT NULL,
    dialled_at    INTEGER,
    ended_at      INTEGER
) STRICT;
CREATE INDEX outbound_calls_live ON outbound_calls (state, due_at) WHERE ended_at IS NULL;
CREATE INDEX outbound_calls_by_number ON outbound_calls (number, dialled_at);
CREATE INDEX outbound_calls_by_call ON outbound_calls (call_sid) WHERE call_sid IS NOT NULL;

-- Who is not to be called. Forgetting a caller leaves the row: without it they would be called again.
CREATE TABLE do_not_call (
    id        INTEGER PRIMARY KEY,
    owner_id  INTEGER,                      -- by the assistants of a user; NULL is by all
    number    TEXT NOT NULL,
    source    TEXT NOT NULL,                -- 'asked' in a call, or 'hand'
    added_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX do_not_call_by_number ON do_not_call (number, coalesce(owner_id, 0));
