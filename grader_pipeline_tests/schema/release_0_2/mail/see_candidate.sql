-- Note a run or backfill as a mail candidate. Seeing it again changes nothing.
INSERT INTO mail_candidate (id, kind, occurred_at)
VALUES (%(id)s, %(kind)s, %(occurred_at)s)
ON CONFLICT (id) DO NOTHING;
