-- Release 0.1.0 does not know schema_migration. A process of it applies its own files, views
-- included, unless schema_applied holds their SHA-256. So this row keeps a process of 0.1.0 that
-- still runs, or runs again, from undoing what later migrations do. Nothing else reads the table:
-- a migration may drop it once no installation runs 0.1.0.
DELETE FROM schema_applied;
INSERT INTO schema_applied (sha256)
VALUES ('be5a6d76a256db9bf565072ddcbde9112dc2610ddf7728be866f6cc3b4e4d6d2');
