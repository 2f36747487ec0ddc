-- Rollups of which the planner knows too little: they have grown by a fifth or more since it last
-- looked, or it never has. The server looks by itself once in a while, which is too late: it would
-- go through the rollups once for each of their lines.
--
-- Where there are hardly more days than the planner keeps apart, it takes a day that it has not
-- seen for an empty one, so each new one is worth a look. With more days it knows that there are
-- others, and how large they are.
SELECT relname AS name
FROM pg_class
WHERE oid IN ('engagement_day'::regclass, 'engagement'::regclass)
  AND (
      pg_relation_size(oid) > 1.2 * relpages * current_setting('block_size')::integer
      OR (SELECT count(*) FROM rollup_day)
          <= 1.2 * current_setting('default_statistics_target')::integer
  );
