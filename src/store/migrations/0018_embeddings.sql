-- Passages found by what they mean: a vector for each text and model, and those that are still to be asked for.

-- SHA-256 of heading and text; of passages made before there were vectors, once they are wanted.
ALTER TABLE passages ADD COLUMN digest BLOB;
CREATE INDEX passages_of_digest ON passages (digest) WHERE digest IS NOT NULL;

-- Each assistant has its own, so that nobody profits from or pays for what others look up.
CREATE TABLE embeddings (
    id            INTEGER PRIMARY KEY,
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    model         TEXT NOT NULL,
    digest        BLOB NOT NULL,
    vector        BLOB,                          -- domain::Vector: a byte a number
    made_at       INTEGER,                       -- when it came; the vectors that are in memory tell by it
    due_at        INTEGER,                       -- when it is asked for; not at all once it came or was refused
    alone         INTEGER NOT NULL DEFAULT 0,    -- whether it is asked for by itself, to find which one is refused
    attempts      INTEGER NOT NULL DEFAULT 0,
    failure       TEXT,
    UNIQUE (assistant_id, model, digest)
) STRICT;
CREATE INDEX embeddings_due ON embeddings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX embeddings_made ON embeddings (assistant_id, model, made_at) WHERE made_at IS NOT NULL;
