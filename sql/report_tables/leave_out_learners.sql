-- No text that is shown is a learner's user_id: reports/privacy.py.
DELETE FROM fresh_report
USING learner
WHERE user_id IN (metric, label);
