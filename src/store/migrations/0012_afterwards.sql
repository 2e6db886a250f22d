-- What came of a call, in a word and in a sentence.

ALTER TABLE calls ADD COLUMN outcome TEXT;          -- domain::CallOutcome; NULL while it goes on
ALTER TABLE calls ADD COLUMN topic TEXT;            -- in a few words, by a model
ALTER TABLE calls ADD COLUMN summary TEXT;
ALTER TABLE calls ADD COLUMN summary_source TEXT;   -- 'rule' or 'model'
ALTER TABLE calls ADD COLUMN summary_due INTEGER;   -- since when a model is to be asked; NULL when not
CREATE INDEX calls_to_summarise ON calls (summary_due) WHERE summary_due IS NOT NULL;
-- The name that a caller gave an assistant last.
CREATE INDEX messages_by_caller ON messages (assistant_id, caller) WHERE caller IS NOT NULL;
