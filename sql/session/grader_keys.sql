-- The unique indexes of a table, those of its keys included. A key has a name and a definition.
-- is_implied: the key of an attempt rules out everything that the index rules out. needed_by: the SQL that
-- removes the foreign keys of other tables that need it.
SELECT
    indexrelid::regclass::text              AS index,
    quote_ident(conname)                    AS name,
    pg_get_constraintdef(pg_constraint.oid) AS definition,
    indisprimary                            AS is_primary,
    parts.columns,
    parts.columns @> %(key)s::name[]        AS is_implied,
    ARRAY(
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I;', needing.conrelid::regclass, needing.conname)
        FROM pg_constraint AS needing
        WHERE needing.contype = 'f' AND needing.conindid = indexrelid
        ORDER BY needing.oid
    ) AS needed_by
FROM pg_index
LEFT JOIN pg_constraint
    ON conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u')
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(attname ORDER BY place), '{}') AS columns
    FROM unnest(indkey::smallint[]) WITH ORDINALITY AS part (attnum, place)
    JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = part.attnum
    WHERE place <= indnkeyatts
) AS parts
WHERE indrelid = %(oid)s AND indisunique
ORDER BY indexrelid;
