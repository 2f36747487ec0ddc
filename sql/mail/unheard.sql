-- What is missing until colleagues have heard of a day's report: whether its mails are decided, and the
-- mails decided since the day's end that are about it or about several days, and that nobody has got yet.
-- Mails about failures are no part of it. `age_seconds` is how old they are at least.
SELECT
    coalesce(
        (SELECT is_reported FROM mailed_day WHERE report_date = %(day)s), false
    ) AS is_decided,
    ARRAY(
        SELECT key
        FROM mail_outbox
        WHERE (report_date = %(day)s OR report_date IS NULL)
          AND kind NOT IN ('failure', 'recovered', 'backfill_trouble')
          AND created_at >= %(day_end)s
          AND created_at <= now() - make_interval(secs => %(age_seconds)s)
          AND NOT EXISTS (
              SELECT FROM mail_recipient
              WHERE mail_recipient.key = mail_outbox.key AND mail_recipient.state = 'sent'
          )
        ORDER BY created_at, key
    ) AS unheard;
