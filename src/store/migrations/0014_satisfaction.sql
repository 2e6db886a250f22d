-- How satisfied a caller was, who says so and why; and what the assistant's file asks to be found out.

ALTER TABLE calls ADD COLUMN satisfaction_source TEXT;  -- 'asked' or 'judged'; NULL with a score from elsewhere
ALTER TABLE calls ADD COLUMN satisfaction_why TEXT;     -- the caller's words, or a model's
ALTER TABLE calls ADD COLUMN extracted TEXT;            -- a JSON object
-- What `calls list --outcome` and `stats --by outcome` read, without the calls themselves.
CREATE INDEX calls_by_outcome ON calls (outcome, started_at, assistant_id, duration_s, satisfaction);
