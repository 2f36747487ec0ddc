SELECT pg_advisory_xact_lock(hashtextextended('report/' || %(report)s, 0));
