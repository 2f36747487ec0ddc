-- Engagements without an attempt on any day.
DELETE FROM engagement USING touched_engagement AS touched
WHERE engagement.id = touched.engagement
  AND NOT EXISTS (
      SELECT FROM engagement_day AS day WHERE day.engagement = touched.engagement
  );
