-- Takes the API's newer truth for stored attempts that differ from it.
UPDATE grader AS stored
SET oauth_consumer_key      = staged.oauth_consumer_key,
    lis_result_sourcedid    = staged.lis_result_sourcedid,
    lis_outcome_service_url = staged.lis_outcome_service_url,
    is_correct              = staged.is_correct,
    attempt_type            = staged.attempt_type
FROM staged_twins AS twin
JOIN staged_attempts AS staged USING (position)
WHERE stored.id = twin.id
  AND twin.differs;
