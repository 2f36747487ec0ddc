DELETE FROM engagement_day WHERE report_date = %(day)s;
