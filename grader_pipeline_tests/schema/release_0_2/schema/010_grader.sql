-- The attempts, as the contract fixes them. created_at is UTC; the order of the unique key also
-- serves every query by day.
CREATE TABLE IF NOT EXISTS grader (
    id                      serial PRIMARY KEY,
    user_id                 varchar(255) NOT NULL,
    oauth_consumer_key      varchar(255),
    lis_result_sourcedid    text,
    lis_outcome_service_url text,
    is_correct              boolean,
    attempt_type            varchar(10),
    created_at              timestamp NOT NULL,
    UNIQUE (created_at, user_id)
);
