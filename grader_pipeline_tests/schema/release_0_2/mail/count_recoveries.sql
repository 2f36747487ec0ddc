-- How many recovery mails of this day the outbox has.
SELECT count(*) AS value FROM mail_outbox WHERE starts_with(key, %(key)s);
