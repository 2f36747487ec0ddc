-- Renew the lease on the database: no row if another installation has taken it.
UPDATE installation
SET renewed_at = now()
WHERE key = %(key)s
