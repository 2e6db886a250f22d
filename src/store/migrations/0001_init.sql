-- Times are epoch milliseconds UTC, JSON is TEXT. Never edit this file after a release: add 0002.

CREATE TABLE assistants (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    phone       TEXT NOT NULL,              -- E.164
    active      INTEGER NOT NULL,
    spec        TEXT NOT NULL,              -- domain::AssistantSpec as JSON
    revision    INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    deleted_at  INTEGER                     -- kept: calls point here
) STRICT;
CREATE UNIQUE INDEX assistants_by_name  ON assistants (name)  WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX assistants_by_phone ON assistants (phone) WHERE deleted_at IS NULL;

-- Running figures, kept in the transactions that insert and end calls.
CREATE TABLE assistant_figures (
    assistant_id       INTEGER PRIMARY KEY REFERENCES assistants (id),
    live_calls         INTEGER NOT NULL DEFAULT 0,
    total_calls        INTEGER NOT NULL DEFAULT 0,
    last_call_at       INTEGER
) STRICT;

CREATE TABLE calls (
    id            INTEGER PRIMARY KEY,
    sid           TEXT NOT NULL UNIQUE,     -- Twilio's CallSid
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    caller        TEXT,                     -- E.164 or an address; NULL when withheld
    to_number     TEXT NOT NULL,
    status        TEXT NOT NULL,
    line          TEXT NOT NULL,
    language      TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    duration_s    INTEGER,
    satisfaction  INTEGER,                  -- 0 to 5
    end_reason    TEXT,
    warned_at     INTEGER                   -- the caller was told that time is nearly up
) STRICT;
-- "newest since …", and the sums over the ragged ends of a window without touching the table.
CREATE INDEX calls_by_start ON calls (started_at, assistant_id, status, duration_s, satisfaction);
CREATE INDEX calls_by_assistant ON calls (assistant_id, started_at);
CREATE INDEX calls_by_caller ON calls (caller, started_at);
-- The sweep, and "failed since …": all but the good majority.
CREATE INDEX calls_not_completed ON calls (status, started_at) WHERE status <> 'completed';

CREATE TABLE turns (
    call_id       INTEGER NOT NULL REFERENCES calls (id),
    number        INTEGER NOT NULL,         -- 0 is the greeting
    heard_kind    TEXT,                     -- speech, digits, silence; NULL in the greeting
    heard         TEXT,
    confidence    REAL,
    heard_at      INTEGER NOT NULL,
    said          TEXT,                     -- what the caller heard; NULL until there is a reply
    unheard       TEXT,                     -- what the caller cut off
    language      TEXT NOT NULL,
    next          TEXT,                     -- listen, hang-up, transfer
    transfer_to   TEXT,
    engine        TEXT,                     -- provider/model, builtin, webox
    attempts      TEXT,                     -- JSON: every model asked
    tools         TEXT,                     -- JSON: every tool run
    state         TEXT,                     -- JSON: the concierge's memory after this turn
    first_token_ms INTEGER,
    reply_ms      INTEGER,
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    cached_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    fillers       INTEGER NOT NULL DEFAULT 0,
    twiml         TEXT,                     -- answered again to a repeated delivery
    PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE bookings (
    id            INTEGER PRIMARY KEY,
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    call_id       INTEGER REFERENCES calls (id),
    name          TEXT NOT NULL,
    party         INTEGER NOT NULL,
    caller        TEXT,
    local_time    TEXT NOT NULL,            -- what was promised, on the client's wall clock
    timezone      TEXT NOT NULL,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX bookings_by_time ON bookings (assistant_id, starts_at);
CREATE INDEX bookings_by_call ON bookings (call_id) WHERE call_id IS NOT NULL;

CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    call_id       INTEGER NOT NULL REFERENCES calls (id),
    caller        TEXT,
    name          TEXT,
    text          TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_call ON messages (call_id);

-- One row a UTC day, assistant and status, written in the transaction that ends a call.
CREATE TABLE call_days (
    day                INTEGER NOT NULL,    -- days since 1970-01-01
    assistant_id       INTEGER NOT NULL,
    status             TEXT NOT NULL,
    calls              INTEGER NOT NULL,
    duration_s         INTEGER NOT NULL,
    satisfaction_sum   INTEGER NOT NULL,
    satisfaction_count INTEGER NOT NULL,
    PRIMARY KEY (day, assistant_id, status)
) STRICT, WITHOUT ROWID;

-- One row that readiness checks rewrite: a store that can be read may still not be writable.
CREATE TABLE heartbeat (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    at  INTEGER NOT NULL
) STRICT;
