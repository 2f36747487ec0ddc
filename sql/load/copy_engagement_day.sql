-- The day's rollup: the table of grader_pipeline/attempts/rollup.py, after the numbers.
COPY engagement_day (
    report_date, engagement, learner, task, runs, submits, successes, wrong_submits,
    without_outcome_url, runs_before_first_submit, submits_until_success, first_submit_correct,
    first_at, last_at, first_run_at, first_submit_at, first_success_at, last_clock,
    first_run_clock, first_success_clock
) FROM STDIN (FORMAT binary);
