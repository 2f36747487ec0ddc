-- Put a mail into the outbox, with its recipients. A key that is there already stays as it is.
WITH mail AS (
    INSERT INTO mail_outbox (key, kind, report_date, subject, message, short)
    VALUES (%(key)s, %(kind)s, %(report_date)s, %(subject)s, %(message)s, %(short)s)
    ON CONFLICT (key) DO NOTHING
    RETURNING key
), recipients AS (
    INSERT INTO mail_recipient (key, address, is_channel)
    SELECT mail.key, address, is_channel
    FROM mail, (
        SELECT unnest(%(recipients)s::text[]), false
        UNION ALL
        SELECT unnest(%(channels)s::text[]), true
    ) AS recipient (address, is_channel)
    ON CONFLICT DO NOTHING
)
SELECT key FROM mail;
