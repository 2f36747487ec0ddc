WITH days AS (
    DELETE FROM engagement_day
    WHERE learner = ANY (%(learners)s) OR task = ANY (%(tasks)s)
),
met AS (
    DELETE FROM engagement
    WHERE learner = ANY (%(learners)s) OR task = ANY (%(tasks)s)
),
-- Made again with the next report.
history AS (
    DELETE FROM task_history
),
tasks AS (
    DELETE FROM task WHERE id = ANY (%(tasks)s)
)
DELETE FROM learner WHERE id = ANY (%(learners)s);
