-- Who may do what, who did what, and what is kept secret.

-- A number that was a user's or a token's is never another one's: rows and open streams name it.
CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    email        TEXT NOT NULL UNIQUE,       -- in lower case
    role         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    disabled_at  INTEGER
) STRICT;

CREATE TABLE tokens (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    lookup        TEXT NOT NULL UNIQUE,      -- the beginning of the key, which is no secret
    hash          BLOB NOT NULL,             -- SHA-256 of the whole key, which is random
    scope         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_by_name ON tokens (user_id, name) WHERE revoked_at IS NULL;

ALTER TABLE assistants ADD COLUMN owner_id INTEGER REFERENCES users (id);
CREATE INDEX assistants_by_owner ON assistants (owner_id) WHERE owner_id IS NOT NULL;

-- Each value is sealed with a key of its own, which the master key wraps.
CREATE TABLE secrets (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER REFERENCES users (id),   -- NULL: the agency's own
    name        TEXT NOT NULL,
    key_id      TEXT NOT NULL,               -- which master key wrapped the key
    wrapped     BLOB NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX secrets_by_name ON secrets (coalesce(user_id, 0), name);

-- A chain: each line's hash covers the one before it. Nothing is ever changed or taken out.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    author  TEXT NOT NULL,                   -- JSON: domain::Author
    action  TEXT NOT NULL,
    target  TEXT NOT NULL,
    before  TEXT NOT NULL,                   -- JSON
    after   TEXT NOT NULL,                   -- JSON
    hash    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
-- A line in the place of another one would get past the other two.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT raise(ABORT, 'the audit log is not changed'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is not changed'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is not cut'); END;

-- What happened on the phone, for those who watch. Kept for a day.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    call_id  INTEGER NOT NULL,
    kind     TEXT NOT NULL,                  -- ring, turn, end
    turn     INTEGER
) STRICT;

-- The answers to changes that may be sent again. Kept for a day.
CREATE TABLE idempotency (
    who         TEXT NOT NULL,               -- the token, and the role that its user had
    key         TEXT NOT NULL,
    request     TEXT NOT NULL,               -- SHA-256 of method, path and body
    created_at  INTEGER NOT NULL,
    status      INTEGER,                     -- NULL while it is being answered
    body        TEXT,
    PRIMARY KEY (who, key)
) STRICT, WITHOUT ROWID;

-- When the caller was told that a machine speaks, and what was said about recording.
ALTER TABLE calls ADD COLUMN disclosed_at INTEGER;
ALTER TABLE calls ADD COLUMN recording_consent TEXT;   -- domain::RecordingConsent; NULL: not asked
-- Whose call it is at Twilio, as a signed request said.
ALTER TABLE calls ADD COLUMN account_sid TEXT;
-- When transcript, recording and number were taken out.
ALTER TABLE calls ADD COLUMN transcript_erased_at INTEGER;
ALTER TABLE calls ADD COLUMN caller_erased_at INTEGER;

-- What Twilio has still to remove, until it has.
CREATE TABLE removals (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    call_sid       TEXT NOT NULL,            -- whose account is asked
    what           TEXT NOT NULL,            -- domain::Removable
    account_sid    TEXT,                     -- as Twilio said; NULL of calls that came from elsewhere
    recording_sid  TEXT,
    asked_at       INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    failure        TEXT
) STRICT;
CREATE UNIQUE INDEX removals_once ON removals (what, coalesce(recording_sid, call_sid));
CREATE INDEX removals_by_due ON removals (due_at);

-- Forgetting in time: a clock that jumped may not empty the store, also while nobody ran.
CREATE TABLE forgetting (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at     INTEGER NOT NULL,            -- when it was last looked for what is due
    hold_until  INTEGER NOT NULL,            -- nothing is forgotten before
    scrub       INTEGER NOT NULL DEFAULT 0   -- what was deleted may still lie in free space
) STRICT;

-- Few calls have one, and those that are due are looked for often.
CREATE INDEX calls_with_recording ON calls (assistant_id, started_at) WHERE recording_url IS NOT NULL;
