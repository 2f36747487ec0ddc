-- Where a day's attempts wait to be compared with what is stored. Gone with the transaction.
CREATE TEMPORARY TABLE staged_attempts (
    position                integer,
    user_id                 varchar(255),
    oauth_consumer_key      varchar(255),
    lis_result_sourcedid    text,
    lis_outcome_service_url text,
    is_correct              boolean,
    attempt_type            varchar(10),
    created_at              timestamp
) ON COMMIT DROP;

CREATE TEMPORARY TABLE staged_rejected (
    position integer PRIMARY KEY,
    reasons  text[],
    row      text
) ON COMMIT DROP;
