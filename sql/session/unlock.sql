SELECT pg_advisory_unlock(hashtextextended(%(work)s, 0));
