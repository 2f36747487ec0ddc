-- The table mail_occasion becomes mail_candidate, the word of code and papers. A rename takes no time
-- and keeps the rights on the table.
ALTER TABLE mail_occasion RENAME TO mail_candidate;
ALTER TABLE mail_candidate RENAME CONSTRAINT mail_occasion_pkey TO mail_candidate_pkey;
ALTER TABLE mail_candidate RENAME CONSTRAINT mail_occasion_kind_check TO mail_candidate_kind_check;
ALTER INDEX mail_occasion_open RENAME TO mail_candidate_open;

-- A process of release 0.1.0 that still runs reads and writes through this view. Without the name it
-- would also apply its own schema files again (see 100_release_0_1.sql). A migration may drop the view
-- once no installation runs 0.1.0.
CREATE VIEW mail_occasion AS
SELECT id, kind, occurred_at, settled_at
FROM mail_candidate;
