-- One session at a time changes the schema. Release 0.1.0 takes the same lock.
SELECT pg_advisory_xact_lock(hashtextextended('sql/schema', 0));
