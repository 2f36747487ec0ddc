SELECT id, report_date FROM sheet_request WHERE place IS NULL ORDER BY id;
