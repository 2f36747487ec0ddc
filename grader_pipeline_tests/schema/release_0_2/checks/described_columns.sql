-- The columns and keys of the tables, the columns of the views, and the functions in a schema, a line
-- of text each. The schema is the session's temporary one, or the first of the search path.
WITH wanted AS (
    SELECT
        CASE WHEN %(temporary)s THEN pg_my_temp_schema() ELSE current_schema()::regnamespace END
            AS namespace
),
relations AS (
    SELECT pg_class.oid, relname
    FROM pg_class
    JOIN wanted ON relnamespace = namespace
    WHERE relkind IN ('r', 'v')
)
SELECT
    relname AS name,
    format(
        '%%s.%%s %%s%%s', relname, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    ) AS line
FROM relations
JOIN pg_attribute ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT relname, format('%%s %%s', relname, pg_get_constraintdef(pg_constraint.oid))
FROM relations
JOIN pg_constraint ON conrelid = relations.oid AND contype IN ('p', 'u')
UNION ALL
SELECT proname, format('function %%s(%%s)', proname, pg_get_function_identity_arguments(pg_proc.oid))
FROM pg_proc
JOIN wanted ON pronamespace = namespace;
