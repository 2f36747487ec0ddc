-- The schemas that were compared with sql/schema and did not differ, by a sum of both. So a run compares
-- only a schema that somebody has changed since.
CREATE TABLE IF NOT EXISTS compared_schema (
    sha256      text        PRIMARY KEY,
    compared_at timestamptz NOT NULL DEFAULT now()
);
