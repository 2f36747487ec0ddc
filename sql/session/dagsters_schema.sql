-- Whether Dagster's schema is there, and whether these tables of it are.
SELECT
    to_regnamespace(%(schema)s) IS NOT NULL AS has_schema,
    (SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%(tables)s::text[]) AS name) AS has_tables;
