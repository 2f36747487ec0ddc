-- The last migration of Dagster's that its schema has.
SELECT version_num AS revision FROM dagster.alembic_version;
