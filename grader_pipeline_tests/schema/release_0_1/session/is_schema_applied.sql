-- Whether these files were the last to be applied, and nobody has dropped anything since.
SELECT
    EXISTS (SELECT FROM schema_applied WHERE sha256 = %(sha256)s)
    AND NOT EXISTS (
        SELECT FROM unnest(%(relations)s::text[]) AS name WHERE to_regclass(name) IS NULL
    ) AS answer;
