-- Who has the lease on the database, or had it last.
SELECT
    host,
    home,
    process,
    to_char(taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since,
    ceil(extract(epoch FROM renewed_at + interval '30 s' - now()))::integer AS free_in
FROM installation
