-- Renew the lease on the database: no row if another installation has taken it. It is a process of the
-- installation that does so, not always the same one.
UPDATE installation
SET renewed_at = now(), host = %(host)s, home = %(home)s, process = %(process)s
WHERE key = %(key)s
