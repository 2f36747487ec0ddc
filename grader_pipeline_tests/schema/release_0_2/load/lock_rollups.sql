-- Days share engagements, so the rollups have one writer at a time.
SELECT pg_advisory_xact_lock(hashtextextended('rollups', 0));
