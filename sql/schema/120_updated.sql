-- differing counts the stored attempts that differ from the answer after the load. updated counts those
-- that the load has given the answer's values, with run config `on_conflict: update`. Until now,
-- differing counted both. IF NOT EXISTS lets tests take a database over again from the beginning.
ALTER TABLE grader_load ADD COLUMN IF NOT EXISTS updated integer NOT NULL DEFAULT 0;
