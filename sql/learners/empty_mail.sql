-- A mail that named a forgotten learner. One that everybody has stays known. Another is not sent any more.
WITH unsent AS (
    DELETE FROM mail_outbox
    WHERE key = %(key)s AND state <> 'sent'
)
UPDATE mail_outbox
SET subject = '',
    message = ''
WHERE key = %(key)s AND state = 'sent';
