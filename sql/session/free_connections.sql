-- How many sessions of the pipeline the server, the database and the role allow: those that are open
-- now are counted as free. Roles that may use the server's reserve do not count on it.
WITH busy AS (
    SELECT datname, usename FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND application_name <> 'grader_pipeline'
)
SELECT least(
    current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true), '0')::integer
        - (SELECT count(*) FROM busy),
    (SELECT datconnlimit FROM pg_database
        WHERE datname = current_database() AND datconnlimit >= 0)
        - (SELECT count(*) FROM busy WHERE datname = current_database()),
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0)
        - (SELECT count(*) FROM busy WHERE usename = current_user)
) AS free;
