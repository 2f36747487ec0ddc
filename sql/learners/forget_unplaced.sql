-- Attempts of a day whose answer is not kept any more: nobody knows their positions. The ledger's line is
-- then about the other elements.
UPDATE grader_load
SET received      = received - least(%(attempts)s, loaded + already_there),
    loaded        = loaded - least(loaded, %(attempts)s),
    already_there = already_there - least(already_there, %(attempts)s - least(loaded, %(attempts)s))
WHERE report_date = %(day)s;
