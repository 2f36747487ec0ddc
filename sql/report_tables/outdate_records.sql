INSERT INTO outdated_record (asset, report_date, run_id)
SELECT asset, %(report_date)s, %(run_id)s
FROM unnest(%(assets)s::text[]) AS asset
ON CONFLICT (asset, report_date) DO UPDATE
SET version = excluded.version,
    run_id  = excluded.run_id;
