-- Numbers for engagements that are new.
SELECT string_agg(int4send(nextval('engagement_id')::integer), '') AS ids
FROM generate_series(1, %(number)s);
