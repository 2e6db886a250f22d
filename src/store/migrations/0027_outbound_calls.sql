-- Calls that webox makes are few: those among millions that came in are found without looking at all.
CREATE INDEX calls_outbound ON calls (direction, started_at) WHERE direction = 'outbound';
