-- The files of sql/schema that were applied last, by their sum: one line.
CREATE TABLE IF NOT EXISTS schema_applied (
    sha256     text        PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
