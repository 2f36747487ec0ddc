-- The temporary tables that the reports of a day share: sql/schema/260_history_of_tasks.sql.
SELECT prepare_reports(%(day)s);
