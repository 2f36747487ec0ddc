-- The states of mails, by their keys.
SELECT key, state FROM mail_outbox WHERE key = ANY (%(keys)s::text[]) ORDER BY key;
