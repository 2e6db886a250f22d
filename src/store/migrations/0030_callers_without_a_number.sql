-- Calls of callers who withheld their number were passed over when callers were due to be forgotten,
-- with what was noted of their words. All are looked through once more.
DELETE FROM looked_for WHERE what = 'callers';
