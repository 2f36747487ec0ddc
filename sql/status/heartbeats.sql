-- The daemon's parts, each with the seconds since its last sign of life. Dagster writes the time in UTC.
SELECT daemon_type, extract(epoch FROM now() AT TIME ZONE 'UTC' - timestamp)::float AS age_seconds
FROM dagster.daemon_heartbeats;
