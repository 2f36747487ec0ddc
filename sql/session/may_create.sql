-- Whether the role may make tables where the pipeline's tables are.
SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS answer;
