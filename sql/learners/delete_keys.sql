DELETE FROM grader
USING unnest(%(created_at)s::timestamp[], %(user_id)s::text[]) AS gone (created_at, user_id)
WHERE (grader.created_at, grader.user_id) = (gone.created_at, gone.user_id)
RETURNING grader.*;
