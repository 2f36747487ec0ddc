-- What is missing until colleagues have heard of a day's report: whether its mails are decided, and the
-- mails decided since the day's end that say that it, or several days, are reported, and that nobody has
-- got yet. `age_seconds` is how old they are at least.
SELECT
    coalesce(
        (SELECT is_reported FROM mailed_day WHERE report_date = %(day)s), false
    ) AS is_decided,
    ARRAY(
        SELECT key
        FROM mail_outbox
        WHERE (report_date = %(day)s OR report_date IS NULL)
          AND kind IN ('success', 'digest', 'backfill')
          AND created_at >= %(day_end)s
          AND created_at <= now() - make_interval(secs => %(age_seconds)s)
          AND NOT EXISTS (
              SELECT FROM mail_recipient
              WHERE mail_recipient.key = mail_outbox.key AND mail_recipient.state = 'sent'
          )
        ORDER BY created_at, key
    ) AS unheard;
