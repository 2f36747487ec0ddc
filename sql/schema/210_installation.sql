-- The installation that works on this database: one row, written by the first that starts. Two would
-- fail each other's runs, so another installation is refused. The hosts of one installation have the
-- same key.
CREATE TABLE IF NOT EXISTS installation (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    key        text        NOT NULL,
    host       text        NOT NULL,
    home       text        NOT NULL,  -- its GRADER_HOME
    process    text        NOT NULL,  -- see local/lease.py
    taken_at   timestamptz NOT NULL,
    -- By the server's clock. Whoever has not renewed it for 30 s, or has set it free, has it no more.
    renewed_at timestamptz NOT NULL
);
