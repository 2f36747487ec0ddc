-- The number of the database's schema, and which of these tables and views the database lacks.
-- No writer waits for this, and it waits for none.
SELECT
    (SELECT coalesce(max(number), 0) FROM schema_migration) AS number,
    ARRAY(
        SELECT name FROM unnest(%(relations)s::text[]) AS name WHERE to_regclass(name) IS NULL
    ) AS missing;
