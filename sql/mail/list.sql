-- The mails of the last 30 days, and older ones that are not sent, the newest first: when each was decided
-- on and sent, in a zone, how many of its recipients have it, and who has it not.
SELECT key, subject, mail_outbox.state, attempts, last_error,
    to_char(mail_outbox.created_at AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI') AS decided,
    to_char(mail_outbox.sent_at AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI') AS sent,
    count(*) FILTER (WHERE mail_recipient.state = 'sent') AS reached,
    count(address) AS recipients,
    coalesce(
        array_agg(address || ' (' || mail_recipient.state || ')' ORDER BY address)
            FILTER (WHERE mail_recipient.state <> 'sent'),
        '{}'
    ) AS not_reached
FROM mail_outbox
LEFT JOIN mail_recipient USING (key)
WHERE mail_outbox.state <> 'sent' OR created_at > now() - interval '30 days'
GROUP BY key
ORDER BY created_at DESC, key;
