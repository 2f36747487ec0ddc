-- Put a mail into the outbox, with its recipients. A key that is there already stays as it is.
WITH mail AS (
    INSERT INTO mail_outbox (key, kind, report_date, subject, message)
    VALUES (%(key)s, %(kind)s, %(report_date)s, %(subject)s, %(message)s)
    ON CONFLICT (key) DO NOTHING
    RETURNING key
), recipients AS (
    INSERT INTO mail_recipient (key, address)
    SELECT mail.key, address
    FROM mail, unnest(%(recipients)s::text[]) AS address
    ON CONFLICT DO NOTHING
)
SELECT key FROM mail;
