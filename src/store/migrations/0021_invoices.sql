-- Bills: what was issued stays as it was issued, and numbers follow each other without a gap.

CREATE TABLE invoices (
    id          INTEGER PRIMARY KEY,
    series      TEXT NOT NULL,              -- what numbers begin with: in each, they are counted from 1
    counter     INTEGER NOT NULL CHECK (counter > 0),
    number      TEXT NOT NULL UNIQUE,
    client      TEXT NOT NULL,              -- by the name that assistants' files give
    month       TEXT NOT NULL,              -- 2026-11
    round       INTEGER NOT NULL,           -- how many bills of this client and month were taken back before
    credits     TEXT REFERENCES invoices (number),   -- the bill that this one takes back; NULL for a bill
    issued_at   INTEGER NOT NULL,
    net         INTEGER NOT NULL,           -- hundredths, before tax
    document    TEXT NOT NULL               -- billing::invoice::Invoice as JSON
) STRICT;
CREATE UNIQUE INDEX invoices_by_counter ON invoices (series, counter);
-- Whatever else happens: one bill a client and month, until it is taken back; and that only once.
CREATE UNIQUE INDEX invoices_by_client ON invoices (client, month, round) WHERE credits IS NULL;
CREATE UNIQUE INDEX invoices_by_credit ON invoices (credits) WHERE credits IS NOT NULL;
CREATE INDEX invoices_by_month ON invoices (month, client);

-- For which assistants a bill is: who owns all of them sees it.
CREATE TABLE invoice_assistants (
    invoice_id    INTEGER NOT NULL REFERENCES invoices (id),
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    PRIMARY KEY (invoice_id, assistant_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER invoices_stay_as_they_are BEFORE UPDATE ON invoices
BEGIN SELECT raise(ABORT, 'a bill that was issued stays as it is'); END;
CREATE TRIGGER invoices_stay BEFORE DELETE ON invoices
BEGIN SELECT raise(ABORT, 'a bill that was issued stays'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER invoices_are_not_replaced BEFORE INSERT ON invoices
WHEN EXISTS (SELECT 1 FROM invoices i WHERE i.id = NEW.id OR i.number = NEW.number
                OR i.credits = NEW.credits OR (i.series = NEW.series AND i.counter = NEW.counter)
                OR (i.client = NEW.client AND i.month = NEW.month AND i.round = NEW.round
                    AND i.credits IS NULL AND NEW.credits IS NULL))
BEGIN SELECT raise(ABORT, 'there is such a bill'); END;
CREATE TRIGGER invoices_follow_each_other BEFORE INSERT ON invoices
WHEN NEW.counter <> 1 + (SELECT coalesce(max(counter), 0) FROM invoices WHERE series = NEW.series)
BEGIN SELECT raise(ABORT, 'the numbers of bills follow each other'); END;
CREATE TRIGGER invoice_assistants_stay_as_they_are BEFORE UPDATE ON invoice_assistants
BEGIN SELECT raise(ABORT, 'a bill that was issued stays as it is'); END;
CREATE TRIGGER invoice_assistants_stay BEFORE DELETE ON invoice_assistants
BEGIN SELECT raise(ABORT, 'a bill that was issued stays'); END;

-- Of a month in which an assistant was used up to what its plan covers: when a call first rang beyond.
CREATE TABLE plan_limits_reached (
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    month         TEXT NOT NULL,
    reached_at    INTEGER NOT NULL,
    PRIMARY KEY (assistant_id, month)
) STRICT, WITHOUT ROWID;

-- Counting a month reads this alone, at each ring of an assistant whose plan has a limit.
CREATE INDEX calls_that_count ON calls (assistant_id, started_at, status, outcome, direction, duration_s)
    WHERE status IN ('completed', 'failed');
