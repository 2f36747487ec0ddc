-- The engagements of the day that are there: their places in fresh_engagement, and their numbers.
-- roll_up_engagements.sql brings them up to date. OFFSET makes PostgreSQL look up each of them: a join
-- would read all engagements.
WITH known AS MATERIALIZED (
    SELECT fresh.place, kept.id, fresh.learner, fresh.task
    FROM fresh_engagement AS fresh
    CROSS JOIN LATERAL (
        SELECT id
        FROM engagement
        WHERE (engagement.learner, engagement.task) = (fresh.learner, fresh.task)
        OFFSET 0
    ) AS kept
),
noted AS (
    INSERT INTO touched_engagement
    SELECT id, learner, task FROM known
    EXCEPT
    SELECT engagement, learner, task FROM touched_engagement
)
SELECT string_agg(int4send(place), '') AS places, string_agg(int4send(id), '') AS ids
FROM known;
