-- Whether the mails of this run or backfill are decided.
SELECT EXISTS (
    SELECT FROM mail_candidate WHERE id = %(id)s AND settled_at IS NOT NULL
) AS value;
