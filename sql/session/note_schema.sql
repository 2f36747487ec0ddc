INSERT INTO schema_applied (sha256) VALUES (%(sha256)s);
