DELETE FROM learner_task USING touched_learner_task AS touched
WHERE (learner_task.course, learner_task.task, learner_task.user_id)
    = (touched.course, touched.task, touched.user_id);
