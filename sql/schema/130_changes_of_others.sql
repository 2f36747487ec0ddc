-- What somebody else than a load of this pipeline changed in grader: the quarter hours (UTC) of the
-- attempts inserted, updated or deleted. The day that has such a mark is rolled up again, and the
-- transaction that does it deletes the marks that it saw. Rows are only added and deleted, so no
-- transaction of others ever waits here, and no mark is lost. Days of all time zones begin at a quarter
-- hour.
CREATE TABLE IF NOT EXISTS grader_change (
    id           bigint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarter_hour timestamp NOT NULL
);

-- The calendar that the rollups were computed with: one row, written by the first load. Without it no
-- load of this release has looked for attempts that nobody rolled up.
CREATE TABLE IF NOT EXISTS school_calendar (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    timezone   text    NOT NULL,
    start_date date    NOT NULL
);

-- The days that have marks.
CREATE OR REPLACE VIEW changed_day AS
SELECT DISTINCT (quarter_hour AT TIME ZONE 'UTC' AT TIME ZONE timezone)::date AS report_date
FROM grader_change
CROSS JOIN school_calendar;

-- How many attempts the rollup was made of. NULL: a release before this one made it.
ALTER TABLE rollup_day ADD COLUMN IF NOT EXISTS attempts integer;

-- The version of the report's own day (rollup_day) that the report was computed from.
ALTER TABLE report_day ADD COLUMN IF NOT EXISTS day_version bigint;

-- Assets whose newest materialization in Dagster says less of a day than the tables do. The transaction
-- that changes a table adds the row, with a new version. Whoever has recorded what it read with that
-- version deletes the row. run_id is the run of that day itself, if it is the one to record it.
CREATE SEQUENCE IF NOT EXISTS outdated_record_version;
CREATE TABLE IF NOT EXISTS outdated_record (
    asset       text   NOT NULL,
    report_date date   NOT NULL,
    version     bigint NOT NULL DEFAULT nextval('outdated_record_version'),
    run_id      text,
    PRIMARY KEY (asset, report_date)
);

-- A mark for each quarter hour in turn: a script that inserts a day in order leaves 96 at most in a
-- transaction. Whoever may change grader may leave a mark: the function has its owner's rights.
CREATE OR REPLACE FUNCTION mark_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    moment timestamp;
    mark   timestamp;
BEGIN
    FOREACH moment IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.created_at]
        WHEN 'DELETE' THEN ARRAY[OLD.created_at]
        ELSE ARRAY[OLD.created_at, NEW.created_at]
    END
    LOOP
        -- Other years are on no school's calendar, and infinity has no quarter hours.
        CONTINUE WHEN moment NOT BETWEEN '0002-01-01' AND '9998-12-31';
        mark := date_bin('15 minutes', moment, '2000-01-01');
        -- The setting ends with the transaction, and falls back with a savepoint as the mark does.
        IF current_setting('grader_pipeline.marked', true) IS DISTINCT FROM mark::text THEN
            INSERT INTO grader_change (quarter_hour) VALUES (mark);
            PERFORM set_config('grader_pipeline.marked', mark::text, true);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- TRUNCATE changes all days that were rolled up. Noon is in each of them.
CREATE OR REPLACE FUNCTION mark_all_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    INSERT INTO grader_change (quarter_hour)
    SELECT (report_date + time '12:00') AT TIME ZONE timezone AT TIME ZONE 'UTC'
    FROM rollup_day
    CROSS JOIN school_calendar;
    RETURN NULL;
END
$$;

-- A load rolls its day up itself, and says so in its transaction: a trigger for each row that need not
-- run costs a load 3 %, a trigger for each statement keeps a copy of all rows. The functions' schema is
-- named because PostgreSQL looks for none in the temporary schema, where checks build these tables.
DO $$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER mark_change AFTER INSERT OR UPDATE OR DELETE ON grader FOR EACH ROW '
        'WHEN (current_setting(''grader_pipeline.loading'', true) IS DISTINCT FROM ''yes'') '
        'EXECUTE FUNCTION %1$I.mark_change()', current_schema()
    );
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER mark_all_days AFTER TRUNCATE ON grader FOR EACH STATEMENT '
        'EXECUTE FUNCTION %1$I.mark_all_days()', current_schema()
    );
END
$$;
