-- Alerts: what was too much, from when until when, and who was told of it.

CREATE TABLE alerts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    rule          TEXT NOT NULL,            -- what the rule is called
    kind          TEXT NOT NULL,            -- domain::AlertKind, which says what the values are
    assistant_id  INTEGER REFERENCES assistants (id), -- NULL: about the whole
    part          TEXT NOT NULL,            -- which of several, such as llm/openai; '' otherwise
    severity      TEXT NOT NULL,            -- domain::AlertSeverity
    state         TEXT NOT NULL,            -- domain::AlertState
    value         INTEGER NOT NULL,         -- the last one seen
    worst         INTEGER NOT NULL,
    threshold     INTEGER NOT NULL,
    currency      TEXT,                     -- of the three, where they are money
    pending_at    INTEGER NOT NULL,
    fired_at      INTEGER,
    calm_since    INTEGER,                  -- well since, while it still fires
    seen_at       INTEGER NOT NULL,
    resolved_at   INTEGER,
    unwatched     INTEGER NOT NULL DEFAULT 0, -- over because nobody watches it any more
    acked_at      INTEGER,
    acked_by      TEXT,
    closed        INTEGER NOT NULL DEFAULT 0  -- over, and whoever is to know of it has a notice
) STRICT;
-- Of each thing one alert at a time, whoever looks.
CREATE UNIQUE INDEX alerts_open ON alerts (rule, coalesce(assistant_id, 0), part)
    WHERE state <> 'resolved';
-- When somebody last called, however many an assistant calls itself.
CREATE INDEX calls_inbound ON calls (assistant_id, started_at) WHERE direction = 'inbound';

CREATE INDEX alerts_unclosed ON alerts (id) WHERE closed = 0;
CREATE INDEX alerts_over ON alerts (resolved_at) WHERE closed = 1;

-- A row for each who is told, written in the transaction in which the alert fires or is over.
CREATE TABLE alert_notices (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id    TEXT NOT NULL UNIQUE,     -- the name it is sent under, however often
    alert_id      INTEGER NOT NULL REFERENCES alerts (id),
    event         TEXT NOT NULL,            -- domain::AlertEvent
    recipient     TEXT NOT NULL,            -- a destination's name, an address or a number
    channel       TEXT,                     -- domain::AlertChannel; NULL: not known
    payload       TEXT NOT NULL,            -- JSON
    state         TEXT NOT NULL,            -- domain::DeliveryState
    created_at    INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,         -- not tried again after this
    attempts      INTEGER NOT NULL DEFAULT 0,
    leased_until  INTEGER,                  -- a daemon is at it
    failure       TEXT,
    settled_at    INTEGER,
    UNIQUE (alert_id, recipient, event)
) STRICT;
CREATE INDEX alert_notices_due ON alert_notices (due_at) WHERE state = 'pending';

CREATE TABLE alert_silences (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    rule          TEXT NOT NULL,
    assistant_id  INTEGER REFERENCES assistants (id), -- NULL: of all, and of the whole
    until         INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    created_by    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_silences_once ON alert_silences (rule, coalesce(assistant_id, 0));

-- What daemons counted that stands nowhere else, by the minute; those of several are added up.
CREATE TABLE alert_counts (
    minute        INTEGER NOT NULL,         -- since 1970
    kind          TEXT NOT NULL,            -- domain::AlertKind
    part          TEXT NOT NULL,
    count         INTEGER NOT NULL,
    PRIMARY KEY (minute, kind, part)
) STRICT, WITHOUT ROWID;
