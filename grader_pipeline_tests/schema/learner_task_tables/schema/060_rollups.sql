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

-- What a learner did on a task on a day: a line each, written by the load of that day.
-- The *_clock columns are time at work since the day's first attempt on the task; a pause of more
-- than 30 minutes is not work and counts nothing.
CREATE TABLE IF NOT EXISTS learner_task_day (
    report_date              date         NOT NULL,
    course                   text         COLLATE "C" NOT NULL,
    task                     text         COLLATE "C" NOT NULL,
    user_id                  varchar(255) COLLATE "C" NOT NULL,
    runs                     integer      NOT NULL,
    submits                  integer      NOT NULL,
    successes                integer      NOT NULL,
    wrong_submits            integer      NOT NULL,
    without_outcome_url      integer      NOT NULL, -- attempts
    first_at                 timestamp    NOT NULL,
    last_at                  timestamp    NOT NULL,
    first_run_at             timestamp,
    first_submit_at          timestamp,
    first_success_at         timestamp,
    first_submit_correct     boolean,           -- NULL without a submit
    runs_before_first_submit integer      NOT NULL, -- all runs of a day without a submit
    submits_until_success    integer,           -- the successful one included
    last_clock               interval     NOT NULL,
    first_run_clock          interval,
    first_success_clock      interval,
    PRIMARY KEY (report_date, course, task, user_id)
);

-- A learner's way through the days.
CREATE INDEX IF NOT EXISTS learner_task_day_learner
    ON learner_task_day (user_id, course, task, report_date);

-- What happened for the first time between a learner and a task, all loaded days considered, and
-- on which day. "As of a day" is every event dated no later: no order of loading changes it.
CREATE TABLE IF NOT EXISTS learner_task (
    course                   text         COLLATE "C" NOT NULL,
    task                     text         COLLATE "C" NOT NULL,
    user_id                  varchar(255) COLLATE "C" NOT NULL,
    first_attempt_date       date         NOT NULL,
    first_submit_date        date,
    first_submit_correct     boolean,
    runs_before_first_submit integer,
    first_success_date       date,
    submits_until_success    integer,           -- the successful one included
    time_until_success       interval,          -- from the first run; NULL if that came later
    PRIMARY KEY (course, task, user_id)
);

-- The days that the rollups hold, empty ones included. The version is new whenever the day's
-- attempts have changed, and tells reports of later days that they are out of date.
CREATE SEQUENCE IF NOT EXISTS rollup_version;
CREATE TABLE IF NOT EXISTS rollup_day (
    report_date date   PRIMARY KEY,
    version     bigint NOT NULL
);
