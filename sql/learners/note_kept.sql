UPDATE load_history
SET kept_sha256 = %(sha256)s
WHERE report_date = %(day)s
  AND kept_sha256 = %(before)s;
