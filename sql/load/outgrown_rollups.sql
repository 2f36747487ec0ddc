-- Rollups of which the planner knows too little: they have grown by a fifth or more since it last
-- looked, or it never has. The server looks by itself once in a while, which is too late for a
-- table's first days: it would go through the rollups once for each of their lines.
SELECT relname AS name
FROM pg_class
WHERE oid IN ('learner_task_day'::regclass, 'learner_task'::regclass)
  AND pg_relation_size(oid) > 1.2 * relpages * current_setting('block_size')::integer;
