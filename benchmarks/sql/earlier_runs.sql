-- Copies of a run, each a day earlier than the one before it, as if they had been the mornings of years.
-- Their numbers are lower than all others, so that no sensor takes them for new.
CREATE TEMPORARY TABLE copy ON COMMIT DROP AS
SELECT
    run_id,
    left(run_id, 24) || lpad(to_hex(number), 12, '0') AS new_run_id,
    number * 1000000                                  AS earlier,
    number * interval '1 day'                         AS days,
    partition,
    (partition::date - number)::text                  AS new_partition
FROM runs
CROSS JOIN generate_series(1, %(copies)s) AS number
WHERE run_id = %(run_id)s;

INSERT INTO runs (
    id, run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, create_timestamp,
    update_timestamp, start_time, end_time
)
SELECT
    id - earlier, new_run_id, snapshot_id, pipeline_name, mode, status,
    replace(replace(run_body, run_id, new_run_id), copy.partition, new_partition),
    new_partition, create_timestamp - days, update_timestamp - days, start_time, end_time
FROM runs
JOIN copy USING (run_id);

INSERT INTO run_tags (run_id, key, value)
SELECT new_run_id, key, replace(value, partition, new_partition)
FROM run_tags
JOIN copy USING (run_id);

INSERT INTO event_logs (
    id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition
)
SELECT
    id - earlier, new_run_id,
    replace(replace(event, run_id, new_run_id), copy.partition, new_partition),
    dagster_event_type, timestamp - days, step_key, asset_key,
    CASE WHEN event_logs.partition IS NOT NULL THEN new_partition END
FROM event_logs
JOIN copy USING (run_id);

INSERT INTO asset_check_executions (
    id, asset_key, check_name, partition, run_id, execution_status, evaluation_event,
    evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id,
    create_timestamp
)
SELECT
    id - earlier, asset_key, check_name,
    CASE WHEN found.partition IS NOT NULL THEN new_partition END,
    new_run_id, execution_status,
    replace(evaluation_event, run_id, new_run_id),
    evaluation_event_timestamp - days, evaluation_event_storage_id - earlier,
    materialization_event_storage_id - earlier, create_timestamp - days
FROM asset_check_executions AS found
JOIN copy USING (run_id);
