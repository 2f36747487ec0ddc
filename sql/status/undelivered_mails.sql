-- The mails that wait, and those that somebody did not get.
SELECT
    count(*) FILTER (WHERE state IN ('queued', 'sending'))     AS queued,
    count(*) FILTER (WHERE state IN ('failed', 'partly_sent')) AS failed
FROM mail_outbox;
