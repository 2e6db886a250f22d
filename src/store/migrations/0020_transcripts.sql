-- Words of turns, to be searched: roots of words as domain::text_roots makes them, each once, and `a` with
-- the number of the assistant, which no word can be. A row is a side of a turn: call, number and side in one
-- number, so that the newest call has the highest. Turns that are there already are indexed with this step.
--
-- Neither texts nor positions are kept a second time. Accents and case are gone before words get here, so
-- `ascii` only parts them at spaces. `secure-delete` takes words out of the index at once, rather than
-- marking them as deleted.
CREATE VIRTUAL TABLE turn_words USING fts5 (
    words, content = '', detail = 'none', columnsize = 0, tokenize = 'ascii'
);
INSERT INTO turn_words (turn_words, rank) VALUES ('secure-delete', 1);
