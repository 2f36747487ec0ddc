-- The attempts of a day by hour and learner, for the reports that look at single attempts: hours, the
-- busiest hour of daily_metrics, the submits without verdict of data_health. Each of them read all
-- attempts of the day before. Nothing is rewritten.
--
-- A temporary table, which is gone with the transaction. The pipeline calls this with prepare_reports.
-- To run such a report by hand, in psql, with the day in UTC:
--
--     BEGIN;
--     SELECT prepare_hours('2023-05-30 21:00', '2023-05-31 21:00', 'Europe/Moscow');
--     -- the query of a report
--     ROLLBACK;
--
-- learner_hour        one row for each learner and hour of the school's clock with an attempt
--     hour, user_id
--     attempts, submits, successes, without_verdict     without_verdict: submits. attempts: runs and submits
CREATE OR REPLACE FUNCTION prepare_hours(day_start timestamp, day_end timestamp, timezone text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF to_regclass('pg_temp.learner_hour') IS NOT NULL THEN
        DROP TABLE pg_temp.learner_hour;
    END IF;

    -- By quarter hours, because hours of all time zones begin at one. OFFSET makes PostgreSQL compute
    -- the hour once for each of them, not for each attempt, and look the attempts up in order.
    CREATE TEMPORARY TABLE learner_hour ON COMMIT DROP AS
    SELECT
        hour, user_id,
        count(*) FILTER (WHERE is_run OR is_submit) AS attempts,
        count(*) FILTER (WHERE is_submit)           AS submits,
        count(*) FILTER (WHERE is_success)          AS successes,
        count(*) FILTER (WHERE is_without_verdict)  AS without_verdict
    FROM (
        SELECT
            slice,
            date_part('hour', slice AT TIME ZONE 'UTC' AT TIME ZONE timezone)::integer AS hour
        FROM generate_series(day_start, day_end - interval '1 microsecond', '15 minutes') AS slice
        OFFSET 0
    ) AS slices
    CROSS JOIN LATERAL (
        SELECT user_id, is_run, is_submit, is_success, is_without_verdict
        FROM attempt_without_names
        WHERE created_at >= slice
          AND created_at < least(slice + interval '15 minutes', day_end)
        OFFSET 0
    ) AS attempts
    GROUP BY hour, user_id;
END
$$;
