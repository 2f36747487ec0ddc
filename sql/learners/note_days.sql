UPDATE audit_log
SET days       = %(days)s,
    first_date = %(first)s,
    last_date  = %(last)s
WHERE id = %(id)s;
