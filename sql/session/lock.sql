-- Waits for a lock of the session. It is free when the session ends.
SELECT pg_advisory_lock(hashtextextended(%(work)s, 0));
