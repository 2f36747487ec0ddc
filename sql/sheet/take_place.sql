-- Where the sheet shows the day that was asked for; no row while it does not. The request is done then.
DELETE FROM sheet_request
WHERE id = %(request)s AND place IS NOT NULL
RETURNING place;
