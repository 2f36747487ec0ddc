SELECT EXISTS (SELECT FROM rollup_day WHERE report_date = %(day)s) AS answer;
