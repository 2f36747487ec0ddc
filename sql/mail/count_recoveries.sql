-- How many times this day was reported to be well again.
SELECT count(*) AS answer FROM mail_outbox WHERE starts_with(key, %(key)s);
