-- Numbers of bills that were given elsewhere: by a database that was lost, or by other software before. Those
-- of a series go on from the last of them.
CREATE TABLE invoices_elsewhere (
    series  TEXT PRIMARY KEY,
    last    INTEGER NOT NULL CHECK (last > 0)
) STRICT, WITHOUT ROWID;
DROP TRIGGER invoices_follow_each_other;
CREATE TRIGGER invoices_follow_each_other BEFORE INSERT ON invoices
WHEN NEW.counter <> 1 + max(
    (SELECT coalesce(max(counter), 0) FROM invoices WHERE series = NEW.series),
    (SELECT coalesce(max(last), 0) FROM invoices_elsewhere WHERE series = NEW.series))
BEGIN SELECT raise(ABORT, 'the numbers of bills follow each other'); END;
