-- The engagements of the day, as the rollups have them until now.
CREATE TEMPORARY TABLE touched_engagement ON COMMIT DROP AS
SELECT engagement, learner, task
FROM engagement_day
WHERE report_date = %(day)s;
