-- The mails of this run or backfill are decided, whether or not it had been seen before.
INSERT INTO mail_occasion (id, kind, occurred_at, settled_at)
VALUES (%(id)s, %(kind)s, %(occurred_at)s, now())
ON CONFLICT (id) DO UPDATE SET settled_at = coalesce(mail_occasion.settled_at, now());
