-- The engagements whose first day this is, with the dates of the day: they have no other.
COPY engagement (
    id, learner, task, first_attempt_date, first_submit_date, first_success_date,
    runs_before_first_submit, submits_until_success, time_until_success, first_submit_correct
) FROM STDIN (FORMAT binary);
