-- What tasks show of all time, carried from day to day, so that no report reads the years again: the
-- reports of 15,000,000 attempts took 1.3 s of PostgreSQL's CPU a day, and 0.4 s of it was this.
--
-- The table is a memory of what the rollups hold, and nothing reads it but prepare_reports. What it has
-- of a day counts only while the versions of the days up to that one (rollup_day) are the same. Else all
-- of it is made again from engagement. So nobody has to fill it or to bring it up to date. It is
-- unlogged: it costs no WAL, and after a crash it is empty.
CREATE TABLE IF NOT EXISTS task_history (
    task                     integer NOT NULL PRIMARY KEY,
    until                    date    NOT NULL,  -- the columns are about the days up to this one
    versions                 bigint  NOT NULL,  -- the sum of the versions of these days
    learners                 integer NOT NULL,  -- who tried the task
    few_learners             integer[],         -- their numbers, if they are fewer than five
    submitted                integer NOT NULL,
    solved                   integer NOT NULL,
    first_submit_solvers     integer NOT NULL,
    runs_before_first_submit bigint  NOT NULL,  -- of all who submitted
    submits_until_success    integer[],         -- of each who solved the task, in no order
    seconds_until_success    double precision[] -- of those whose time is known, in no order
);
-- Checks make these tables as temporary ones, which are never logged.
DO $$
BEGIN
    IF (SELECT relpersistence FROM pg_class WHERE oid = 'task_history'::regclass) = 'p' THEN
        ALTER TABLE task_history SET UNLOGGED;
    END IF;
END
$$;
