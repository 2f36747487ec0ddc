-- The day's metrics, with their values of the day before and of the same weekday a week before.
SELECT today.metric,
       today.label,
       today.value,
       today.unit,
       today.text,
       day_before.value  AS day_before,
       week_before.value AS week_before
FROM daily_metrics AS today
LEFT JOIN daily_metrics AS day_before
    ON day_before.metric = today.metric AND day_before.report_date = today.report_date - 1
LEFT JOIN daily_metrics AS week_before
    ON week_before.metric = today.metric AND week_before.report_date = today.report_date - 7
WHERE today.report_date = %(report_date)s
ORDER BY today.place, today.label;
