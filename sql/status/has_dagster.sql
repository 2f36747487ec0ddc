-- Whether the database has Dagster's tables: this role of PostgreSQL sees them in the schema `dagster`.
SELECT to_regclass('dagster.instigators') IS NOT NULL AS value;
