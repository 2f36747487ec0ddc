-- The learners and tasks of the day, by numbers, as COPY brings them. Gone with the transaction.
CREATE TEMPORARY TABLE fresh_engagement (
    place   integer,
    learner integer,
    task    integer
) ON COMMIT DROP;
