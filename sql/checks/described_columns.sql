-- The columns and keys of the tables in the first schema of the search path, a line of text each.
WITH tables AS (
    SELECT oid, relname
    FROM pg_class
    WHERE relnamespace = (
        CASE WHEN %(temporary)s THEN pg_my_temp_schema() ELSE current_schema()::regnamespace END
    )
      AND relkind = 'r'
)
SELECT
    relname AS name,
    format(
        '%%s.%%s %%s%%s', relname, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    ) AS line
FROM tables
JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT relname, format('%%s %%s', relname, pg_get_constraintdef(pg_constraint.oid))
FROM tables
JOIN pg_constraint ON conrelid = tables.oid AND contype IN ('p', 'u');
