-- Set the lease free, if this process was the last that renewed it.
UPDATE installation
SET renewed_at = 'epoch'
WHERE process = %(process)s
