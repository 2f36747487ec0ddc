-- The engagements of the day that the attempts have added.
INSERT INTO touched_engagement
SELECT engagement, learner, task
FROM engagement_day
WHERE report_date = %(day)s
EXCEPT
SELECT engagement, learner, task
FROM touched_engagement;
