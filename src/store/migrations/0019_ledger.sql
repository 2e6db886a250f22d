-- What calls cost: an entry for each metered use, and the sums of each day, written together.

-- A rate as it was when something was reckoned by it. Rows are never changed: history stays when prices do.
CREATE TABLE ledger_rates (
    id        INTEGER PRIMARY KEY,
    provider  TEXT NOT NULL,
    product   TEXT NOT NULL,
    unit      TEXT NOT NULL,                -- domain::Unit
    price     INTEGER NOT NULL,             -- millionths, for as many as the unit says
    currency  TEXT NOT NULL,
    rate      TEXT NOT NULL,                -- which row of which file
    unpriced  INTEGER NOT NULL              -- no price is known: reckoned by the dearest
) STRICT;
CREATE UNIQUE INDEX ledger_rates_once
    ON ledger_rates (provider, product, unit, price, currency, rate, unpriced);

-- Names the call, not the caller: it stays when the caller is forgotten.
CREATE TABLE ledger_entries (
    call_id       INTEGER NOT NULL,         -- 0: of no call
    turn          INTEGER NOT NULL,         -- -1: of no turn
    kind          TEXT NOT NULL,            -- store::ledger::Kind
    number        INTEGER NOT NULL,         -- which of them: the same use is entered once
    rate_id       INTEGER NOT NULL REFERENCES ledger_rates (id),
    assistant_id  INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    quantity      INTEGER NOT NULL,
    amount        INTEGER NOT NULL,         -- millionths, in the rate's currency
    eur           INTEGER NOT NULL,         -- the same in both, by the exchange of that day
    usd           INTEGER NOT NULL,
    PRIMARY KEY (call_id, turn, kind, number, rate_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_days (
    day           INTEGER NOT NULL,         -- days since 1970-01-01, UTC, of the entries' times
    assistant_id  INTEGER NOT NULL,
    rate_id       INTEGER NOT NULL REFERENCES ledger_rates (id),
    entries       INTEGER NOT NULL,
    quantity      INTEGER NOT NULL,
    amount        INTEGER NOT NULL,
    eur           INTEGER NOT NULL,
    usd           INTEGER NOT NULL,
    PRIMARY KEY (day, assistant_id, rate_id)
) STRICT, WITHOUT ROWID;

-- The sum of a call's entries; NULL of calls from before there were any.
ALTER TABLE calls ADD COLUMN cost_eur INTEGER;
ALTER TABLE calls ADD COLUMN cost_usd INTEGER;
ALTER TABLE calls ADD COLUMN cost_unpriced INTEGER;

-- What Twilio charged for the minutes of calls: asked for later, since it is not known at their end.
CREATE TABLE ledger_charges (
    call_id       INTEGER PRIMARY KEY,
    due_at        INTEGER,                  -- NULL: known, or given up
    attempts      INTEGER NOT NULL DEFAULT 0,
    failure       TEXT,
    charged_at    INTEGER,
    amount        INTEGER,                  -- millionths
    currency      TEXT,
    eur           INTEGER,
    usd           INTEGER,
    reckoned_eur  INTEGER,                  -- what the entries said of the same then
    reckoned_usd  INTEGER
) STRICT;
CREATE INDEX ledger_charges_by_due ON ledger_charges (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE ledger_charge_days (
    day           INTEGER NOT NULL,         -- of the calls' beginning
    assistant_id  INTEGER NOT NULL,
    calls         INTEGER NOT NULL,
    eur           INTEGER NOT NULL,
    usd           INTEGER NOT NULL,
    reckoned_eur  INTEGER NOT NULL,
    reckoned_usd  INTEGER NOT NULL,
    PRIMARY KEY (day, assistant_id)
) STRICT, WITHOUT ROWID;
