SELECT pg_try_advisory_lock(hashtextextended(%(work)s, 0)) AS answer;
