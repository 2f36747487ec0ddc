-- The numbers of learners (table learner), sorted, if they are fewer than five and all known, else
-- NULL. A report gives it as the column that its header names with `listed in`: reports/privacy.py
-- counts by it how many learners the lines have that it merges. 5 is LEAST_LEARNERS of small_groups.py.
CREATE OR REPLACE FUNCTION few(numbers integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN cardinality(numbers) < 5 AND array_position(numbers, NULL) IS NULL
        THEN ARRAY(SELECT number FROM unnest(numbers) AS number ORDER BY number)
END
$$;
