-- What the prototype kept of a call and webox has turns for, and where an imported assistant came from.

ALTER TABLE calls ADD COLUMN transcription TEXT;    -- the whole call as one text
ALTER TABLE calls ADD COLUMN recording_url TEXT;
ALTER TABLE calls ADD COLUMN metadata TEXT;         -- JSON
ALTER TABLE assistants ADD COLUMN origin TEXT;      -- names a row elsewhere: it is taken once only
CREATE UNIQUE INDEX assistants_by_origin ON assistants (origin) WHERE origin IS NOT NULL;
