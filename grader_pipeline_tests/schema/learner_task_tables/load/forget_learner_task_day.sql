DELETE FROM learner_task_day WHERE report_date = %(day)s;
