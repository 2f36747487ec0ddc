-- The stored attempts of the day, for the rollup: a row for each five minutes, with the values of its
-- attempts one after the other. Sending each attempt as a row takes the client ten times as long.
--
-- Times are microseconds since 2000, of eight bytes each. A text has its length, of four bytes, apart,
-- and -1 if it is NULL. The marks of an attempt are three letters: attempt type, verdict, and whether
-- there is an outcome URL. An attempt type beside run and submit is as good as none.
SELECT
    string_agg(timestamp_send(created_at), '')                        AS times,
    string_agg(int4send(octet_length(user_id)), '')                   AS user_lengths,
    convert_to(string_agg(user_id, ''), 'UTF8')                       AS users,
    string_agg(int4send(coalesce(octet_length(lis_result_sourcedid), -1)), '')
                                                                      AS sourcedid_lengths,
    convert_to(string_agg(lis_result_sourcedid, ''), 'UTF8')          AS sourcedids,
    convert_to(string_agg(
        CASE attempt_type WHEN 'run' THEN 'r' WHEN 'submit' THEN 's' ELSE '-' END
        || CASE is_correct WHEN true THEN 't' WHEN false THEN 'f' ELSE '-' END
        || CASE WHEN lis_outcome_service_url IS NULL THEN '-' ELSE 'u' END,
        ''
    ), 'UTF8')                                                        AS marks
FROM generate_series(
    %(day_start)s::timestamp, %(day_end)s::timestamp - interval '1 microsecond', '5 minutes'
) AS slice
CROSS JOIN LATERAL (
    SELECT *
    FROM grader
    WHERE created_at >= slice
      AND created_at < least(slice + interval '5 minutes', %(day_end)s)
    -- Without it, the slices and the day's attempts would be joined as a whole.
    OFFSET 0
) AS attempts
GROUP BY slice;
