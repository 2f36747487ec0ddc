-- Tasks that a learner no longer has any attempt on.
DELETE FROM learner_task USING touched_learner_task AS touched
WHERE (learner_task.course, learner_task.task, learner_task.user_id)
    = (touched.course, touched.task, touched.user_id)
  AND NOT EXISTS (
      SELECT
      FROM learner_task_day AS day
      WHERE (day.course, day.task, day.user_id) = (touched.course, touched.task, touched.user_id)
  );
