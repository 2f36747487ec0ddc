-- The newest run of a day: its status, and the minutes since it was asked for.
SELECT run_id, status,
    floor(extract(epoch FROM now() AT TIME ZONE 'UTC' - create_timestamp) / 60)::integer AS minutes
FROM dagster.runs
WHERE partition = %(day)s::date::text
ORDER BY id DESC
LIMIT 1;
