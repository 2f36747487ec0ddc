-- Whether the mails of one of these runs are decided.
SELECT EXISTS (
    SELECT FROM mail_candidate WHERE id = ANY (%(ids)s::text[]) AND settled_at IS NOT NULL
) AS value;
