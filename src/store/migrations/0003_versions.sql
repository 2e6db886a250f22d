-- Every state an assistant was ever in, who brought it there, and which files own it.

-- Names this store: a plan made for one store is refused by another.
CREATE TABLE identity (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    store_id  TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))));

CREATE TABLE applies (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    author      TEXT NOT NULL,              -- JSON: domain::Author
    source      TEXT NOT NULL,              -- the paths, or the plan file, as they were named
    summary     TEXT NOT NULL               -- JSON: what was created, changed, renamed, deleted
) STRICT;

CREATE TABLE assistant_versions (
    assistant_id  INTEGER NOT NULL REFERENCES assistants (id),
    revision      INTEGER NOT NULL,
    spec          TEXT NOT NULL,            -- domain::AssistantSpec as JSON
    deleted       INTEGER NOT NULL,         -- whether this version took it out of service
    at            INTEGER NOT NULL,
    author        TEXT NOT NULL,            -- JSON: domain::Author
    apply_id      INTEGER REFERENCES applies (id),
    PRIMARY KEY (assistant_id, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO assistant_versions
    SELECT id, revision, spec, deleted_at IS NOT NULL, updated_at,
           '{"who":"unknown","command":"before versions were kept"}', NULL
    FROM assistants;

ALTER TABLE assistants ADD COLUMN set_name TEXT;            -- whose files it is in; NULL: made by hand
ALTER TABLE assistants ADD COLUMN applied_revision INTEGER; -- the version that was last the files' own

-- A call keeps the version of its assistant that it began with.
ALTER TABLE calls ADD COLUMN assistant_revision INTEGER;
