-- The mails of this run or backfill are decided, whether or not it is a candidate yet.
INSERT INTO mail_candidate (id, kind, occurred_at, settled_at)
VALUES (%(id)s, %(kind)s, %(occurred_at)s, now())
ON CONFLICT (id) DO UPDATE SET settled_at = coalesce(mail_candidate.settled_at, now());
