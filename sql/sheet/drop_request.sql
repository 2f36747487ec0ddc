DELETE FROM sheet_request WHERE id = %(request)s;
