-- The layer that the reports stand on. Times are UTC; a date is the school's day.

-- The attempts with their parts named: course and task are read out of lis_result_sourcedid, which
-- LTI writes as course:host-task:learner. What cannot be read there is named so, never left out.
-- The names are compared byte by byte: they are no words, and reports sort by them all the time.
-- Letters are counted by length, for a counting expression takes four times as long to match.
CREATE OR REPLACE VIEW attempt AS
SELECT
    CASE WHEN lis_result_sourcedid LIKE 'course-v1:_%:%'
        THEN 'course-v1:' || split_part(lis_result_sourcedid, ':', 2)
        ELSE 'не распознан'
    END COLLATE "C" AS course,
    CASE WHEN lis_result_sourcedid LIKE 'course-v1:_%:%-%:%'
          AND length(split_part(lis_result_sourcedid, ':', 3)) > 32
          AND right(split_part(lis_result_sourcedid, ':', 3), 33) ~ '^-[0-9a-f]+$'
        THEN right(split_part(lis_result_sourcedid, ':', 3), 32)
        ELSE 'не распознано'
    END COLLATE "C" AS task,
    user_id COLLATE "C" AS user_id,
    created_at,
    lis_outcome_service_url,
    attempt_type = 'run'                               AS is_run,
    attempt_type = 'submit'                            AS is_submit,
    attempt_type = 'submit' AND is_correct IS TRUE     AS is_success,
    attempt_type = 'submit' AND is_correct IS FALSE    AS is_wrong
FROM grader;

-- Every learner and every task that was ever met, by a number: rollups count by numbers, which take
-- a tenth of the room of the names. No line is ever changed.
CREATE TABLE IF NOT EXISTS learner (
    id      integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id varchar(255) COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS task (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    course text    COLLATE "C" NOT NULL,
    task   text    COLLATE "C" NOT NULL,
    UNIQUE (course, task)
);

-- A learner and a task that have met: what happened for the first time between them, all loaded
-- days considered, and on which day. "As of a day" is every event dated no later: no order of
-- loading changes it. Numbers grow with the days, so that those in use lie close together.
CREATE SEQUENCE IF NOT EXISTS engagement_id AS integer;
CREATE TABLE IF NOT EXISTS engagement (
    id                       integer  PRIMARY KEY,
    learner                  integer  NOT NULL,
    task                     integer  NOT NULL,
    first_attempt_date       date     NOT NULL,
    first_submit_date        date,
    first_success_date       date,
    runs_before_first_submit integer,
    submits_until_success    integer,           -- the successful one included
    time_until_success       interval,          -- from the first run; NULL if that came later
    first_submit_correct     boolean,
    UNIQUE (learner, task)
);

-- What a learner did on a task on a day: a line each, written by the load of that day.
-- The *_clock columns are time at work since the day's first attempt on the task; a pause of more
-- than 30 minutes is not work and counts nothing.
CREATE TABLE IF NOT EXISTS engagement_day (
    report_date              date      NOT NULL,
    engagement               integer   NOT NULL,
    learner                  integer   NOT NULL,
    task                     integer   NOT NULL,
    runs                     integer   NOT NULL,
    submits                  integer   NOT NULL,
    successes                integer   NOT NULL,
    wrong_submits            integer   NOT NULL,
    without_outcome_url      integer   NOT NULL, -- attempts
    runs_before_first_submit integer   NOT NULL, -- all runs of a day without a submit
    submits_until_success    integer,           -- the successful one included
    first_submit_correct     boolean,           -- NULL without a submit
    first_at                 timestamp NOT NULL,
    last_at                  timestamp NOT NULL,
    first_run_at             timestamp,
    first_submit_at          timestamp,
    first_success_at         timestamp,
    last_clock               interval  NOT NULL,
    first_run_clock          interval,
    first_success_clock      interval,
    PRIMARY KEY (engagement, report_date)
);
CREATE INDEX IF NOT EXISTS engagement_day_date ON engagement_day (report_date);

-- The days that the rollups hold, empty ones included. The version is new whenever the day's
-- attempts have changed, and tells reports of later days that they are out of date.
CREATE SEQUENCE IF NOT EXISTS rollup_version;
CREATE TABLE IF NOT EXISTS rollup_day (
    report_date date   PRIMARY KEY,
    version     bigint NOT NULL
);
