-- When the calls of some thousands of numbers began, so that a window of time is a range of numbers, also where calls were
-- imported later than they began.
CREATE TABLE call_blocks (
    block         INTEGER PRIMARY KEY,     -- the number of a call / 4096
    oldest        INTEGER NOT NULL,        -- when the first of them began
    newest        INTEGER NOT NULL
) STRICT;

INSERT INTO call_blocks SELECT id / 4096, min(started_at), max(started_at) FROM calls GROUP BY 1;

CREATE TRIGGER call_blocks_added AFTER INSERT ON calls BEGIN
    INSERT INTO call_blocks VALUES (new.id / 4096, new.started_at, new.started_at)
    ON CONFLICT DO UPDATE SET oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest);
END;
