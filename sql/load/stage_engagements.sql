-- One row for each learner and task of the day, by names, as COPY brings the table of
-- grader_pipeline/attempts/rollup.py. sql/schema/060_rollups.sql explains the columns.
CREATE TEMPORARY TABLE fresh_engagement (
    user_id                  text COLLATE "C",
    course                   text COLLATE "C",
    task                     text COLLATE "C",
    runs                     integer,
    submits                  integer,
    successes                integer,
    wrong_submits            integer,
    without_outcome_url      integer,
    runs_before_first_submit integer,
    submits_until_success    integer,
    first_submit_correct     boolean,
    first_at                 timestamp,
    last_at                  timestamp,
    first_run_at             timestamp,
    first_submit_at          timestamp,
    first_success_at         timestamp,
    last_clock               interval,
    first_run_clock          interval,
    first_success_clock      interval
) ON COMMIT DROP;
