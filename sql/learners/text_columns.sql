-- The columns of text in the tables of this schema.
SELECT relname AS table, attname AS column
FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_type ON pg_type.oid = atttypid
WHERE relnamespace = current_schema()::regnamespace
  AND relkind IN ('r', 'p')
  AND typcategory = 'S'
ORDER BY relname, attnum;
