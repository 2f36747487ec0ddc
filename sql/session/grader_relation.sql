-- What is named grader in the schema that new tables go to, or in the session's temporary schema. No row:
-- nothing is.
SELECT
    oid,
    relkind                        AS kind,
    pg_has_role(relowner, 'USAGE') AS may_alter,
    quote_ident(current_user)      AS role
FROM pg_class
WHERE relname = 'grader'
  AND relnamespace = CASE
      WHEN %(temporary)s THEN pg_my_temp_schema()
      ELSE to_regnamespace(quote_ident(current_schema()))
  END;
