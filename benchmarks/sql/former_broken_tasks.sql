-- The rule for broken tasks up to release 0.2.0: it took submits for independent trials.
WITH tasks AS (
    SELECT
        task,
        sum(submits_1)                    AS submits,
        sum(successes_1)                  AS successes,
        sum(submits) - sum(submits_1)     AS submits_before,
        sum(successes) - sum(successes_1) AS successes_before
    FROM recent_engagement
    GROUP BY task
),
shares AS (
    SELECT
        submits,
        successes::numeric / submits               AS share,
        successes_before::numeric / submits_before AS share_before
    FROM tasks
    WHERE submits >= 10
      AND submits_before >= 30
)
SELECT
    count(*) AS eligible,
    count(*) FILTER (
        WHERE share <= share_before / 2
          AND share_before - share >= 3 * sqrt(share_before * (1 - share_before) / submits)
          AND share_before > 0
    )        AS alarms
FROM shares
