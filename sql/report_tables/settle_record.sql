DELETE FROM outdated_record
WHERE (asset, report_date, version) = (%(asset)s, %(report_date)s, %(version)s);
