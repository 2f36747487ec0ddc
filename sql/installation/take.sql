-- Take the lease on the database: one row if this installation has it now. The process gone is one that
-- has ended, though its lease may not.
INSERT INTO installation AS held (key, host, home, process, taken_at, renewed_at)
VALUES (%(key)s, %(host)s, %(home)s, %(process)s, now(), now())
ON CONFLICT (only_row) DO UPDATE SET
    key = EXCLUDED.key,
    host = EXCLUDED.host,
    home = EXCLUDED.home,
    process = EXCLUDED.process,
    taken_at = CASE
        WHEN held.key = EXCLUDED.key AND held.renewed_at > now() - interval '30 s' THEN held.taken_at
        ELSE EXCLUDED.taken_at
    END,
    renewed_at = EXCLUDED.renewed_at
WHERE held.key = EXCLUDED.key
   OR held.renewed_at <= now() - interval '30 s'
   OR held.process = %(gone)s
