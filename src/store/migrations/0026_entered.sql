-- From when until when the entries of a call were made: noted when it ends, and kept with each change afterwards, so that
-- those of a window of time are found without reading all. A turn writes neither. NULL: it goes on, or has no entries.
ALTER TABLE calls ADD COLUMN entered_from INTEGER;
ALTER TABLE calls ADD COLUMN entered_until INTEGER;

UPDATE calls SET entered_from = e.first, entered_until = e.last
FROM (SELECT call_id, min(at) AS first, max(at) AS last FROM ledger_entries GROUP BY call_id) e
WHERE e.call_id = calls.id AND calls.ended_at IS NOT NULL;

CREATE INDEX calls_entered ON calls (entered_until, entered_from) WHERE entered_until IS NOT NULL;

-- What is of no call is rare.
CREATE INDEX ledger_of_no_call ON ledger_entries (at) WHERE call_id = 0;
