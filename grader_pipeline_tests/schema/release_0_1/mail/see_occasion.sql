-- Remember a run or backfill that may call for a mail. Seeing it again changes nothing.
INSERT INTO mail_occasion (id, kind, occurred_at)
VALUES (%(id)s, %(kind)s, %(occurred_at)s)
ON CONFLICT (id) DO NOTHING;
