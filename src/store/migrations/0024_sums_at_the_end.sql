-- What a call cost and how long its turns took is added up when it ends: a turn writes its own rows, and no sums.
-- Until then whoever asks for sums adds the rows of the calls that go on, which are few.

INSERT INTO ledger_days (day, assistant_id, rate_id, entries, quantity, amount, eur, usd)
SELECT e.at / 86400000, e.assistant_id, e.rate_id, -count(*), -sum(e.quantity), -sum(e.amount), -sum(e.eur), -sum(e.usd)
FROM calls c JOIN ledger_entries e ON e.call_id = c.id WHERE c.ended_at IS NULL GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, quantity = quantity + excluded.quantity,
    amount = amount + excluded.amount, eur = eur + excluded.eur, usd = usd + excluded.usd;

UPDATE calls SET cost_eur = NULL, cost_usd = NULL, cost_unpriced = NULL
WHERE ended_at IS NULL AND cost_eur IS NOT NULL;

INSERT INTO turn_waited
SELECT w.call_id, w.stage, w.ms, -1 FROM calls c JOIN waits_of_turns w ON w.call_id = c.id WHERE c.ended_at IS NULL;

DROP VIEW turn_waits_of_turns;
DROP TRIGGER turn_waits_added;
DROP TRIGGER turn_waits_changed;

-- The step of each wait. Nothing is put together in it, so that whoever asks for one call reads that call's turns alone.
CREATE VIEW steps_of_turns AS
SELECT call_id, stage,
       CASE WHEN ms < 500 THEN ms / 10 * 10 WHEN ms < 2000 THEN ms / 50 * 50
            WHEN ms < 10000 THEN ms / 200 * 200 WHEN ms < 60000 THEN ms / 1000 * 1000 ELSE 60000 END AS step
FROM waits_of_turns;

CREATE VIEW turn_waits_of_turns AS
SELECT c.assistant_id AS assistant_id, c.started_at / 3600000 AS hour, s.stage AS stage, s.step AS step,
       count(*) AS turns
FROM steps_of_turns s JOIN calls c ON c.id = s.call_id WHERE c.ended_at IS NOT NULL GROUP BY 1, 2, 3, 4;

CREATE TRIGGER turn_waits_of_call AFTER UPDATE OF ended_at ON calls
WHEN old.ended_at IS NULL AND new.ended_at IS NOT NULL BEGIN
    INSERT INTO turn_waits
    SELECT iif(w.whole, 0, new.assistant_id), new.started_at / 3600000, s.stage, '{}'
    FROM (SELECT DISTINCT stage FROM waits_of_turns WHERE call_id = new.id) s,
         (SELECT 0 AS whole UNION ALL SELECT 1) w WHERE 1
    ON CONFLICT DO NOTHING;
    UPDATE turn_waits SET steps = (
        SELECT json_group_object(step, turns) FROM (
            SELECT step, sum(turns) AS turns FROM (
                SELECT CAST(key AS INTEGER) AS step, value AS turns FROM json_each(turn_waits.steps)
                UNION ALL
                SELECT step, 1 FROM steps_of_turns WHERE call_id = new.id AND stage = turn_waits.stage)
            GROUP BY step))
    WHERE assistant_id IN (0, new.assistant_id) AND hour = new.started_at / 3600000
      AND stage IN (SELECT stage FROM waits_of_turns WHERE call_id = new.id);
END;

-- What is told of a turn after its call ended.
CREATE TRIGGER turn_waits_added AFTER INSERT ON turns
WHEN new.heard_kind IN ('speech', 'digits') AND new.reply_ms IS NOT NULL
    AND (SELECT ended_at FROM calls WHERE id = new.call_id) IS NOT NULL BEGIN
    INSERT INTO turn_waited
    SELECT new.call_id, 'reply', new.reply_ms, 1
    UNION ALL SELECT new.call_id, 'felt', coalesce(new.words_ms, 0) + new.frame_ms, 1
    WHERE new.frame_ms IS NOT NULL;
END;

CREATE TRIGGER turn_waits_changed AFTER UPDATE OF reply_ms, words_ms, frame_ms ON turns
WHEN new.heard_kind IN ('speech', 'digits')
    AND (SELECT ended_at FROM calls WHERE id = new.call_id) IS NOT NULL BEGIN
    INSERT INTO turn_waited SELECT new.call_id, w.stage, w.ms, w.n
    FROM (SELECT 'reply' AS stage, old.reply_ms AS ms, new.reply_ms AS other, -1 AS n
          UNION ALL SELECT 'reply', new.reply_ms, old.reply_ms, 1
          UNION ALL
          SELECT 'felt', iif(old.reply_ms IS NULL, NULL, coalesce(old.words_ms, 0) + old.frame_ms),
                 iif(new.reply_ms IS NULL, NULL, coalesce(new.words_ms, 0) + new.frame_ms), -1
          UNION ALL
          SELECT 'felt', iif(new.reply_ms IS NULL, NULL, coalesce(new.words_ms, 0) + new.frame_ms),
                 iif(old.reply_ms IS NULL, NULL, coalesce(old.words_ms, 0) + old.frame_ms), 1) w
    WHERE w.ms IS NOT NULL AND w.ms IS NOT w.other;
END;
