-- The temporary tables that the reports of a day share: sql/schema/170_tables_of_the_28_days.sql.
SELECT prepare_reports(%(day)s);
