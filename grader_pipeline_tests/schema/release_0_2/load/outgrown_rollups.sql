-- Rollups that need ANALYZE: they have grown by a fifth or more since the last one, or never had
-- one. Autovacuum analyzes too late: until then, plans read a whole rollup for each of its rows.
--
-- With few days, the planner's statistics list each day, and a day that they lack counts as empty.
-- So each new day needs ANALYZE. With more days than statistics hold, the planner estimates the
-- days that they lack.
SELECT relname AS name
FROM pg_class
WHERE oid IN ('engagement_day'::regclass, 'engagement'::regclass)
  AND (
      pg_relation_size(oid) > 1.2 * relpages * current_setting('block_size')::integer
      OR (SELECT count(*) FROM rollup_day)
          <= 1.2 * current_setting('default_statistics_target')::integer
  );
