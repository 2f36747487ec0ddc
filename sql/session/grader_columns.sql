-- The columns of a table, in their order. views and materialized are those that read the column, also
-- through other views, each in the order of their making. constraints are its checks and foreign keys.
WITH RECURSIVE reading AS (
    SELECT refobjsubid AS attnum, ev_class AS view
    FROM pg_depend
    JOIN pg_rewrite ON pg_rewrite.oid = objid
    WHERE classid = 'pg_rewrite'::regclass
      AND refclassid = 'pg_class'::regclass
      AND refobjid = %(oid)s
      AND ev_class <> refobjid
    UNION
    SELECT attnum, ev_class
    FROM reading
    JOIN pg_depend ON refobjid = view AND refclassid = 'pg_class'::regclass
    JOIN pg_rewrite ON pg_rewrite.oid = objid AND classid = 'pg_rewrite'::regclass
    WHERE ev_class <> view
),
readers AS (
    SELECT DISTINCT attnum, view, view::regclass::text AS name, relkind
    FROM reading
    JOIN pg_class ON pg_class.oid = view
)
SELECT
    attname                          AS name,
    quote_ident(attname)             AS quoted,
    format_type(atttypid, atttypmod) AS type,
    attnotnull                       AS not_null,
    atthasdef OR attidentity <> ''   AS has_default,
    ARRAY(
        SELECT name FROM readers WHERE readers.attnum = column_.attnum AND relkind = 'v' ORDER BY view
    ) AS views,
    ARRAY(
        SELECT name FROM readers WHERE readers.attnum = column_.attnum AND relkind = 'm' ORDER BY view
    ) AS materialized,
    ARRAY(
        SELECT quote_ident(conname)
        FROM pg_constraint
        WHERE conrelid = attrelid AND contype IN ('c', 'f') AND column_.attnum = ANY (conkey)
        ORDER BY conname
    ) AS constraints
FROM pg_attribute AS column_
WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped
ORDER BY attnum;
