-- Why elements of the day were rejected, the most frequent reason first. An element may have several
-- reasons. One that only repeats another is a duplicate, not rejected.
SELECT reason, count(*) AS rows
FROM grader_rejected, unnest(reasons) AS reason
WHERE report_date = %(report_date)s
  AND reasons <> '{duplicate_key}'
GROUP BY reason
ORDER BY rows DESC, reason;
