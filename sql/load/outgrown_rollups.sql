-- Rollups that need ANALYZE: they have grown by a fifth or more since the last one, or never had
-- one. Autovacuum analyzes too late: until then, plans read a whole rollup for each of its rows.
--
-- With few days, the planner's statistics list each day, and a day that they lack counts as empty.
-- So each new day needs ANALYZE, but of the dates only: these are its "columns" then. With more days
-- than statistics hold, the planner estimates the days that they lack.
SELECT
    rollup.relname AS name,
    CASE WHEN NOT found.has_grown THEN found.dates END AS columns
FROM pg_class AS rollup
CROSS JOIN LATERAL (
    SELECT
        pg_relation_size(rollup.oid)
            > 1.2 * rollup.relpages * current_setting('block_size')::integer AS has_grown,
        array_agg(attname) FILTER (WHERE atttypid = 'date'::regtype AND NOT attisdropped) AS dates
    FROM pg_attribute
    WHERE attrelid = rollup.oid
) AS found
WHERE rollup.oid IN ('engagement_day'::regclass, 'engagement'::regclass)
  AND (
      found.has_grown
      OR (SELECT count(*) FROM rollup_day)
          <= 1.2 * current_setting('default_statistics_target')::integer
  );
