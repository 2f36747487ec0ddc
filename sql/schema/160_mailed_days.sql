-- What the last mails said about a day. One mail says that its report is ready. Later ones say only what
-- has changed since.
-- is_reported: the last mail to colleagues said that the report is ready (true), or that it is missing
-- (false). NULL: none since this migration; an earlier release may have mailed it.
-- is_failed: the owners read that the day failed or was not run. When its report is written, one mail
-- says so, and the next episode begins.
CREATE TABLE IF NOT EXISTS mailed_day (
    report_date date    PRIMARY KEY,
    is_reported boolean,
    is_failed   boolean NOT NULL DEFAULT false,
    episode     integer NOT NULL DEFAULT 1
);

-- The metrics of those days as colleagues know them. A run that is not to be mailed sets them too.
CREATE TABLE IF NOT EXISTS mailed_metric (
    report_date date    NOT NULL,
    metric      text    NOT NULL,
    label       text    NOT NULL,
    value       numeric,
    PRIMARY KEY (report_date, metric)
);

-- The mails of earlier releases, except digests: the outbox does not have their days.
WITH mailed AS (
    SELECT report_date, bool_or(kind = 'success') AS has_success,
           1 + count(*) FILTER (WHERE kind = 'recovered') AS episode
    FROM mail_outbox
    WHERE report_date IS NOT NULL
    GROUP BY report_date
)
INSERT INTO mailed_day (report_date, is_reported, is_failed, episode)
SELECT report_date, CASE WHEN has_success THEN true END,
       EXISTS (
           SELECT
           FROM mail_outbox
           WHERE starts_with(key, format('failure:%s:%s:', to_char(report_date, 'YYYY-MM-DD'), episode))
       ),
       episode
FROM mailed
ON CONFLICT DO NOTHING;

-- Their figures are not known any more. Those of now are what a later mail compares with.
INSERT INTO mailed_metric (report_date, metric, label, value)
SELECT report_date, metric, label, value
FROM daily_metrics
JOIN mailed_day USING (report_date)
WHERE is_reported
ON CONFLICT DO NOTHING;
