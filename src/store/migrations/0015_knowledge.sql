-- What assistants look up: the documents beside their files, and passages of those that are in use.

-- A text that a version of an assistant names by its digest. Each assistant has its own, so that naming a
-- digest never shows somebody else's text.
CREATE TABLE documents (
    id            INTEGER PRIMARY KEY,
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    sha256        TEXT NOT NULL,
    text          TEXT NOT NULL,
    bytes         INTEGER NOT NULL,
    indexed       INTEGER NOT NULL DEFAULT 0,   -- whether it has its passages; they can be made again
    UNIQUE (assistant_id, sha256)
) STRICT;
CREATE INDEX documents_indexed ON documents (id) WHERE indexed = 1;

CREATE TABLE passages (
    id           INTEGER PRIMARY KEY,
    document_id  INTEGER NOT NULL REFERENCES documents (id),
    heading      TEXT NOT NULL,
    text         TEXT NOT NULL
) STRICT;
CREATE INDEX passages_of_document ON passages (document_id);

-- Words as domain::search_words folds them, by passage; `whose` is `a` and the assistant.
CREATE VIRTUAL TABLE passage_words USING fts5 (
    whose, heading, body,
    content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
