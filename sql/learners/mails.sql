SELECT key, subject, message FROM mail_outbox WHERE message <> '';
