-- Campaigns: lists of people whom an assistant calls until they were reached.

CREATE TABLE campaigns (
    id              INTEGER PRIMARY KEY,
    assistant_id    INTEGER NOT NULL REFERENCES assistants (id),
    digest          TEXT NOT NULL,          -- of the numbers and what is known of each
    name            TEXT NOT NULL,          -- of the file
    max_concurrent  INTEGER NOT NULL,
    hours           TEXT,                   -- domain::CallingWindow
    retries         INTEGER NOT NULL,
    retry_after_s   INTEGER NOT NULL,
    say             TEXT,
    zone            TEXT,
    anyway          INTEGER NOT NULL,
    state           TEXT NOT NULL,          -- domain::CampaignState
    why             TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,       -- it goes to rest then, unless it is run again
    looked_at       INTEGER,                -- a daemon looked after it
    fed_at          INTEGER NOT NULL DEFAULT 0,   -- somebody of it was last called: campaigns take turns
    ended_at        INTEGER
) STRICT;
CREATE UNIQUE INDEX campaigns_by_contents ON campaigns (assistant_id, digest);
CREATE INDEX campaigns_running ON campaigns (fed_at) WHERE state = 'running';

CREATE TABLE campaign_rows (
    id           INTEGER PRIMARY KEY,
    campaign_id  INTEGER NOT NULL REFERENCES campaigns (id),
    line         INTEGER,
    number       TEXT NOT NULL,             -- E.164
    context      TEXT NOT NULL,             -- JSON: names and values
    state        TEXT NOT NULL,             -- domain::CampaignRowState
    attempts     INTEGER NOT NULL DEFAULT 0,
    last         TEXT,                      -- domain::OutboundState of the last call
    why          TEXT,
    due_at       INTEGER NOT NULL,
    outbound_id  INTEGER                    -- the last call that was asked for; kept for a month
) STRICT;
CREATE UNIQUE INDEX campaign_rows_once ON campaign_rows (campaign_id, number);
CREATE INDEX campaign_rows_by_state ON campaign_rows (campaign_id, state, due_at);
CREATE INDEX campaign_rows_open ON campaign_rows (state) WHERE state IN ('calling', 'unknown');
CREATE INDEX campaign_rows_by_number ON campaign_rows (number);

-- What is looked at when a call is dialled, and not only when it is asked for.
ALTER TABLE outbound_calls ADD COLUMN anyway INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbound_calls ADD COLUMN zone TEXT;
ALTER TABLE outbound_calls ADD COLUMN campaign_row_id INTEGER;
