-- Figures of calls and turns, kept by triggers in the transactions that change them: an hour of an assistant
-- is a few rows however many calls it had. The views say the same from the calls and turns themselves.

-- Whether the caller had called this assistant in the seven days before; NULL where nobody can tell, and of
-- calls that we made. Decided when the call rings: it stays when the caller is forgotten.
ALTER TABLE calls ADD COLUMN again INTEGER;
UPDATE calls SET again = EXISTS (
    SELECT 1 FROM calls before INDEXED BY calls_by_caller WHERE before.caller = calls.caller
    AND before.started_at BETWEEN calls.started_at - 604800000 AND calls.started_at AND before.id < calls.id
    AND before.assistant_id = calls.assistant_id AND before.direction = 'inbound'
    AND before.status <> 'rejected')
WHERE caller IS NOT NULL AND direction = 'inbound';

-- Calls that ended, by the UTC hour in which they began.
CREATE TABLE call_hours (
    assistant_id       INTEGER NOT NULL,    -- 0: of all of them together
    hour               INTEGER NOT NULL,    -- hours since 1970
    status             TEXT NOT NULL,
    outcome            TEXT NOT NULL,       -- '': not known
    language           TEXT NOT NULL,
    calls              INTEGER NOT NULL,
    duration_s         INTEGER NOT NULL,
    satisfaction_sum   INTEGER NOT NULL,
    satisfaction_count INTEGER NOT NULL,
    transferred        INTEGER NOT NULL,
    callers            INTEGER NOT NULL,    -- calls of which it is known whether somebody called again
    again              INTEGER NOT NULL,
    costed             INTEGER NOT NULL,    -- calls of which it is known what they cost
    eur                INTEGER NOT NULL,
    usd                INTEGER NOT NULL,
    PRIMARY KEY (assistant_id, hour, status, outcome, language)
) STRICT, WITHOUT ROWID;

CREATE VIEW call_hours_of_calls AS
SELECT c.assistant_id AS assistant_id, c.started_at / 3600000 AS hour, c.status AS status,
       coalesce(c.outcome, '') AS outcome, c.language AS language, count(*) AS calls,
       coalesce(sum(c.duration_s), 0) AS duration_s, coalesce(sum(c.satisfaction), 0) AS satisfaction_sum,
       count(c.satisfaction) AS satisfaction_count,
       coalesce(sum(c.end_reason IS 'transferred' OR c.outcome IS 'transferred'), 0) AS transferred,
       count(c.again) AS callers, coalesce(sum(c.again), 0) AS again, count(c.cost_eur) AS costed,
       coalesce(sum(c.cost_eur), 0) AS eur, coalesce(sum(c.cost_usd), 0) AS usd
FROM calls c WHERE c.ended_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5;

-- Those of all of them together.
CREATE VIEW call_hours_together AS
SELECT 0 AS assistant_id, hour, status, outcome, language, sum(calls) AS calls, sum(duration_s) AS duration_s,
       sum(satisfaction_sum) AS satisfaction_sum, sum(satisfaction_count) AS satisfaction_count,
       sum(transferred) AS transferred, sum(callers) AS callers, sum(again) AS again, sum(costed) AS costed,
       sum(eur) AS eur, sum(usd) AS usd
FROM call_hours WHERE assistant_id <> 0 GROUP BY hour, status, outcome, language;

INSERT INTO call_hours SELECT * FROM call_hours_of_calls;
INSERT INTO call_hours SELECT * FROM call_hours_together;

CREATE TRIGGER call_hours_added AFTER INSERT ON calls WHEN new.ended_at IS NOT NULL BEGIN
    INSERT INTO call_hours
    SELECT iif(whole, 0, new.assistant_id), new.started_at / 3600000, new.status, coalesce(new.outcome, ''),
           new.language, 1, coalesce(new.duration_s, 0), coalesce(new.satisfaction, 0),
           new.satisfaction IS NOT NULL, new.end_reason IS 'transferred' OR new.outcome IS 'transferred',
           new.again IS NOT NULL, coalesce(new.again, 0), new.cost_eur IS NOT NULL,
           coalesce(new.cost_eur, 0), coalesce(new.cost_usd, 0)
    FROM (SELECT 0 AS whole UNION ALL SELECT 1) WHERE 1
    ON CONFLICT DO UPDATE SET calls = calls + 1, duration_s = duration_s + excluded.duration_s,
        satisfaction_sum = satisfaction_sum + excluded.satisfaction_sum,
        satisfaction_count = satisfaction_count + excluded.satisfaction_count,
        transferred = transferred + excluded.transferred, callers = callers + excluded.callers,
        again = again + excluded.again, costed = costed + excluded.costed, eur = eur + excluded.eur,
        usd = usd + excluded.usd;
END;

-- Nothing is done for a call that goes on.
CREATE TRIGGER call_hours_changed
AFTER UPDATE OF status, outcome, language, ended_at, duration_s, satisfaction, end_reason, again, cost_eur,
    cost_usd ON calls
WHEN old.ended_at IS NOT NULL OR new.ended_at IS NOT NULL BEGIN
    INSERT INTO call_hours
    SELECT iif(w.whole, 0, new.assistant_id), new.started_at / 3600000, c.status, c.outcome, c.language, c.n,
           c.n * c.duration_s, c.n * c.satisfaction, c.n * c.scored, c.n * c.transferred, c.n * c.known,
           c.n * c.again, c.n * c.costed, c.n * c.eur, c.n * c.usd
    FROM (SELECT 0 AS whole UNION ALL SELECT 1) w,
         (SELECT -1 AS n, old.status AS status, coalesce(old.outcome, '') AS outcome, old.language AS language,
                 coalesce(old.duration_s, 0) AS duration_s, coalesce(old.satisfaction, 0) AS satisfaction,
                 old.satisfaction IS NOT NULL AS scored,
                 old.end_reason IS 'transferred' OR old.outcome IS 'transferred' AS transferred,
                 old.again IS NOT NULL AS known, coalesce(old.again, 0) AS again,
                 old.cost_eur IS NOT NULL AS costed, coalesce(old.cost_eur, 0) AS eur,
                 coalesce(old.cost_usd, 0) AS usd
          WHERE old.ended_at IS NOT NULL
          UNION ALL
          SELECT 1, new.status, coalesce(new.outcome, ''), new.language, coalesce(new.duration_s, 0),
                 coalesce(new.satisfaction, 0), new.satisfaction IS NOT NULL,
                 new.end_reason IS 'transferred' OR new.outcome IS 'transferred',
                 new.again IS NOT NULL, coalesce(new.again, 0), new.cost_eur IS NOT NULL,
                 coalesce(new.cost_eur, 0), coalesce(new.cost_usd, 0)
          WHERE new.ended_at IS NOT NULL) c WHERE 1
    ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, duration_s = duration_s + excluded.duration_s,
        satisfaction_sum = satisfaction_sum + excluded.satisfaction_sum,
        satisfaction_count = satisfaction_count + excluded.satisfaction_count,
        transferred = transferred + excluded.transferred, callers = callers + excluded.callers,
        again = again + excluded.again, costed = costed + excluded.costed, eur = eur + excluded.eur,
        usd = usd + excluded.usd;
END;

-- What calls were about, by UTC day: models say it in words of their own, too many for hours. A topic that no
-- call has any more is no row: words that were forgotten are gone from here as well.
CREATE TABLE call_topics (
    assistant_id       INTEGER NOT NULL,    -- 0: of all of them together
    day                INTEGER NOT NULL,    -- days since 1970
    topic              TEXT NOT NULL,
    calls              INTEGER NOT NULL,
    duration_s         INTEGER NOT NULL,
    satisfaction_sum   INTEGER NOT NULL,
    satisfaction_count INTEGER NOT NULL,
    PRIMARY KEY (assistant_id, day, topic)
) STRICT, WITHOUT ROWID;

CREATE VIEW call_topics_of_calls AS
SELECT c.assistant_id AS assistant_id, c.started_at / 86400000 AS day, c.topic AS topic,
       count(*) AS calls, coalesce(sum(c.duration_s), 0) AS duration_s,
       coalesce(sum(c.satisfaction), 0) AS satisfaction_sum, count(c.satisfaction) AS satisfaction_count
FROM calls c WHERE c.topic IS NOT NULL GROUP BY 1, 2, 3;

CREATE VIEW call_topics_together AS
SELECT 0 AS assistant_id, day, topic, sum(calls) AS calls, sum(duration_s) AS duration_s,
       sum(satisfaction_sum) AS satisfaction_sum, sum(satisfaction_count) AS satisfaction_count
FROM call_topics WHERE assistant_id <> 0 GROUP BY day, topic;

INSERT INTO call_topics SELECT * FROM call_topics_of_calls;
INSERT INTO call_topics SELECT * FROM call_topics_together;

CREATE TRIGGER call_topics_added AFTER INSERT ON calls WHEN new.topic IS NOT NULL BEGIN
    INSERT INTO call_topics
    SELECT iif(whole, 0, new.assistant_id), new.started_at / 86400000, new.topic, 1,
           coalesce(new.duration_s, 0), coalesce(new.satisfaction, 0), new.satisfaction IS NOT NULL
    FROM (SELECT 0 AS whole UNION ALL SELECT 1) WHERE 1
    ON CONFLICT DO UPDATE SET calls = calls + 1, duration_s = duration_s + excluded.duration_s,
        satisfaction_sum = satisfaction_sum + excluded.satisfaction_sum,
        satisfaction_count = satisfaction_count + excluded.satisfaction_count;
END;

CREATE TRIGGER call_topics_changed AFTER UPDATE OF topic, duration_s, satisfaction ON calls
WHEN (old.topic IS NOT NULL OR new.topic IS NOT NULL) AND (old.topic IS NOT new.topic
    OR old.duration_s IS NOT new.duration_s OR old.satisfaction IS NOT new.satisfaction) BEGIN
    INSERT INTO call_topics
    SELECT iif(w.whole, 0, new.assistant_id), new.started_at / 86400000, c.topic, c.n, c.n * c.duration_s,
           c.n * c.satisfaction, c.n * c.scored
    FROM (SELECT 0 AS whole UNION ALL SELECT 1) w,
         (SELECT -1 AS n, old.topic AS topic, coalesce(old.duration_s, 0) AS duration_s,
                 coalesce(old.satisfaction, 0) AS satisfaction, old.satisfaction IS NOT NULL AS scored
          UNION ALL
          SELECT 1, new.topic, coalesce(new.duration_s, 0), coalesce(new.satisfaction, 0),
                 new.satisfaction IS NOT NULL) c
    WHERE c.topic IS NOT NULL
    ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, duration_s = duration_s + excluded.duration_s,
        satisfaction_sum = satisfaction_sum + excluded.satisfaction_sum,
        satisfaction_count = satisfaction_count + excluded.satisfaction_count;
    DELETE FROM call_topics WHERE assistant_id IN (0, new.assistant_id)
        AND day = new.started_at / 86400000 AND topic = old.topic AND calls = 0;
END;

-- How long turns took, by the UTC hour in which their call began: a count for each step of waiting. The steps
-- are of 10 ms up to half a second, of 50 up to two, of 200 up to ten, then of seconds up to a minute.
CREATE TABLE turn_waits (
    assistant_id  INTEGER NOT NULL,         -- 0: of all of them together
    hour          INTEGER NOT NULL,
    stage         TEXT NOT NULL,            -- 'reply' or 'felt': domain::Stage
    steps         TEXT NOT NULL,            -- JSON: from how many milliseconds on, how many turns
    PRIMARY KEY (assistant_id, hour, stage)
) STRICT, WITHOUT ROWID;

-- The waits of turns in which something was heard, as long as they were.
CREATE VIEW waits_of_turns AS
SELECT call_id, 'reply' AS stage, reply_ms AS ms FROM turns
WHERE heard_kind IN ('speech', 'digits') AND reply_ms IS NOT NULL
UNION ALL
SELECT call_id, 'felt', coalesce(words_ms, 0) + frame_ms FROM turns
WHERE heard_kind IN ('speech', 'digits') AND reply_ms IS NOT NULL AND frame_ms IS NOT NULL;

CREATE VIEW turn_waits_of_turns AS
SELECT c.assistant_id AS assistant_id, c.started_at / 3600000 AS hour, t.stage AS stage,
       CASE WHEN t.ms < 500 THEN t.ms / 10 * 10 WHEN t.ms < 2000 THEN t.ms / 50 * 50
            WHEN t.ms < 10000 THEN t.ms / 200 * 200 WHEN t.ms < 60000 THEN t.ms / 1000 * 1000 ELSE 60000 END AS step,
       count(*) AS turns
FROM waits_of_turns t JOIN calls c ON c.id = t.call_id GROUP BY 1, 2, 3, 4;

CREATE VIEW turn_waits_together AS
SELECT 0 AS assistant_id, t.hour AS hour, t.stage AS stage, CAST(j.key AS INTEGER) AS step, sum(j.value) AS turns
FROM turn_waits t, json_each(t.steps) j WHERE t.assistant_id <> 0 GROUP BY t.hour, t.stage, j.key;

INSERT INTO turn_waits
SELECT assistant_id, hour, stage, json_group_object(step, turns) FROM turn_waits_of_turns GROUP BY 1, 2, 3;
INSERT INTO turn_waits
SELECT assistant_id, hour, stage, json_group_object(step, turns) FROM turn_waits_together GROUP BY 1, 2, 3;

-- A wait is noted here, once more (n = 1) or once less (n = -1).
CREATE VIEW turn_waited AS SELECT 0 AS call_id, '' AS stage, 0 AS ms, 0 AS n WHERE 0;
CREATE TRIGGER turn_waited_noted INSTEAD OF INSERT ON turn_waited BEGIN
    INSERT INTO turn_waits
    SELECT iif(w.whole, 0, c.assistant_id), c.started_at / 3600000, new.stage, '{}'
    FROM calls c, (SELECT 0 AS whole UNION ALL SELECT 1) w WHERE c.id = new.call_id
    ON CONFLICT DO NOTHING;
    UPDATE turn_waits SET steps = json_set(steps, s.path, coalesce(steps ->> s.path, 0) + new.n)
    FROM (SELECT c.assistant_id AS assistant_id, c.started_at / 3600000 AS hour, '$."' || CASE
              WHEN new.ms < 500 THEN new.ms / 10 * 10 WHEN new.ms < 2000 THEN new.ms / 50 * 50
              WHEN new.ms < 10000 THEN new.ms / 200 * 200 WHEN new.ms < 60000 THEN new.ms / 1000 * 1000
              ELSE 60000 END || '"' AS path
          FROM calls c WHERE c.id = new.call_id) s
    WHERE turn_waits.assistant_id IN (0, s.assistant_id) AND turn_waits.hour = s.hour
      AND turn_waits.stage = new.stage;
END;

CREATE TRIGGER turn_waits_added AFTER INSERT ON turns
WHEN new.heard_kind IN ('speech', 'digits') AND new.reply_ms IS NOT NULL BEGIN
    INSERT INTO turn_waited
    SELECT new.call_id, 'reply', new.reply_ms, 1
    UNION ALL SELECT new.call_id, 'felt', coalesce(new.words_ms, 0) + new.frame_ms, 1
    WHERE new.frame_ms IS NOT NULL;
END;

CREATE TRIGGER turn_waits_changed AFTER UPDATE OF reply_ms, words_ms, frame_ms ON turns
WHEN new.heard_kind IN ('speech', 'digits') BEGIN
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

-- The sums of what was spent on a day, of all assistants together.
CREATE TABLE ledger_days_together (
    day       INTEGER NOT NULL,
    rate_id   INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    quantity  INTEGER NOT NULL,
    eur       INTEGER NOT NULL,
    usd       INTEGER NOT NULL,
    PRIMARY KEY (day, rate_id)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_days_together
SELECT day, rate_id, sum(entries), sum(quantity), sum(eur), sum(usd) FROM ledger_days GROUP BY 1, 2;

CREATE TRIGGER ledger_days_added AFTER INSERT ON ledger_days BEGIN
    INSERT INTO ledger_days_together VALUES (new.day, new.rate_id, new.entries, new.quantity, new.eur, new.usd)
    ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, quantity = quantity + excluded.quantity,
        eur = eur + excluded.eur, usd = usd + excluded.usd;
END;

CREATE TRIGGER ledger_days_changed AFTER UPDATE ON ledger_days BEGIN
    UPDATE ledger_days_together SET entries = entries + new.entries - old.entries,
        quantity = quantity + new.quantity - old.quantity, eur = eur + new.eur - old.eur,
        usd = usd + new.usd - old.usd
    WHERE day = new.day AND rate_id = new.rate_id;
END;
