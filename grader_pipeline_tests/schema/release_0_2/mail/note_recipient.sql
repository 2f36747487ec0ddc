-- The server's answer about one recipient.
UPDATE mail_recipient
SET state = %(state)s,
    answer = %(answer)s,
    sent_at = CASE WHEN %(state)s = 'sent' THEN now() END
WHERE key = %(key)s AND address = %(address)s;
