-- Lines that speak over a socket, and how long callers wait for what.

-- A call's socket is let in with a ticket: good once, and for a short while.
ALTER TABLE calls ADD COLUMN ticket BLOB;                 -- SHA-256 of the one that is out
ALTER TABLE calls ADD COLUMN ticket_expires_at INTEGER;
ALTER TABLE calls ADD COLUMN tickets INTEGER NOT NULL DEFAULT 0;   -- how many were given out

-- From the end of the caller's speech: when it was taken for one, and when its words were known.
ALTER TABLE turns ADD COLUMN endpoint_ms INTEGER;
ALTER TABLE turns ADD COLUMN words_ms INTEGER;
-- From there, beside `first_token_ms`: first sentence, its first sound, the first frame sent.
ALTER TABLE turns ADD COLUMN sentence_ms INTEGER;
ALTER TABLE turns ADD COLUMN audio_ms INTEGER;
ALTER TABLE turns ADD COLUMN frame_ms INTEGER;
-- Who heard the caller, and who spoke.
ALTER TABLE turns ADD COLUMN ear TEXT;
ALTER TABLE turns ADD COLUMN mouth TEXT;
