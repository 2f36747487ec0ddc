-- The requests that this write has answered. Those of runs that have died are deleted after a day.
WITH old AS (
    DELETE FROM sheet_request WHERE place IS NOT NULL AND requested_at < now() - interval '1 day'
)
UPDATE sheet_request SET place = %(place)s WHERE id = ANY (%(requests)s);
