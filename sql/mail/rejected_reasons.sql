-- Why rows of the day were rejected, the commonest reason first. A row may have several.
SELECT reason, count(*) AS rows
FROM grader_rejected, unnest(reasons) AS reason
WHERE report_date = %(report_date)s
GROUP BY reason
ORDER BY rows DESC, reason;
