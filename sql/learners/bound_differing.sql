-- Differing and updated attempts are among those that were already there. %(differing)s of the differing
-- ones are there no more.
UPDATE grader_load
SET differing = least(greatest(differing - %(differing)s::integer, 0), already_there),
    updated   = least(updated, already_there)
WHERE report_date = %(day)s;
