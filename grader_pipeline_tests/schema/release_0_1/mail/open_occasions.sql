-- What still may call for a mail, in the order in which it happened.
SELECT id, kind, occurred_at
FROM mail_occasion
WHERE settled_at IS NULL
ORDER BY occurred_at, id;
