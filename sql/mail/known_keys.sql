-- Those of these keys that are in the outbox.
SELECT key
FROM mail_outbox
WHERE key = ANY (%(keys)s::text[]);
