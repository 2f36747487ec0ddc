-- The schedules and sensors that Dagster knows: whether somebody has stopped them in its UI, the seconds
-- since the newest evaluation of a sensor, and the error of their newest evaluation, if it failed.
SELECT
    body -> 'origin' ->> 'job_name'                               AS name,
    lower(instigator_type)                                        AS kind,
    status = 'STOPPED'                                            AS is_stopped,
    extract(epoch FROM now())
        - (body -> 'job_specific_data' ->> 'last_tick_timestamp')::float AS age_seconds,
    tick.error
FROM dagster.instigators
CROSS JOIN LATERAL (SELECT instigator_body::json) AS parsed (body)
LEFT JOIN LATERAL (
    SELECT CASE WHEN job_ticks.status = 'FAILURE'
        THEN tick_body::json -> 'error' ->> 'message' END AS error
    FROM dagster.job_ticks
    WHERE job_ticks.selector_id = instigators.selector_id
    ORDER BY timestamp DESC
    LIMIT 1
) AS tick ON true
ORDER BY update_timestamp;
