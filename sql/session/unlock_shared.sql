SELECT pg_advisory_unlock_shared(hashtextextended(%(work)s, 0));
