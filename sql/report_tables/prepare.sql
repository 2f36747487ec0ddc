-- The temporary tables that the reports of a day share: sql/schema/180_what_figures_mean.sql.
SELECT prepare_reports(%(day)s);
