-- The temporary tables that the reports of a day share: sql/schema/262_tables_of_a_day.sql.
SELECT prepare_reports(%(day)s);
