-- As lock.sql, for those who may hold it together.
SELECT pg_advisory_lock_shared(hashtextextended(%(work)s, 0));
