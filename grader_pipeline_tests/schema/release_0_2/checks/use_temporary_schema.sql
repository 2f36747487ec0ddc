-- Until the transaction ends, what is created goes to the session's temporary schema. The live
-- schema comes second: PostgreSQL does not look for functions in the temporary one.
SELECT set_config('search_path', 'pg_temp, ' || quote_ident(current_schema()), true);
