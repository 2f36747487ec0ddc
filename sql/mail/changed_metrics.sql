-- The metrics of these days that are not what was mailed: their value, with the decimals that readers
-- see, or their text. The newest day comes first. What an earlier release mailed has no unit and no text,
-- so only its values are compared. Where the unit is one of numbers, the text says why there is none: two
-- such texts, one after the other, are no change.
SELECT
    report_date, now.label, now.unit,
    mailed.value AS before, mailed.text AS text_before,
    now.value AS now, now.text AS text_now
FROM mailed_metric AS mailed
JOIN daily_metrics AS now USING (report_date, metric)
WHERE report_date = ANY (%(days)s::date[])
  AND (
    round(now.value, %(decimals)s::integer) IS DISTINCT FROM round(mailed.value, %(decimals)s::integer)
    OR (
        mailed.unit IS NOT NULL
        AND now.text IS DISTINCT FROM mailed.text
        AND NOT coalesce(
            now.value IS NULL AND mailed.value IS NULL AND now.unit = ANY (%(numbers)s::text[]), false
        )
    )
  )
ORDER BY report_date DESC, now.place, now.label;
