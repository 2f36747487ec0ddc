-- What every session of the pipeline sets, when it begins. Nothing of it is a startup option, which a
-- pooler would refuse.
--
-- The server finds a client's dead host within 25 s, and frees its locks. Its own default is two hours.
-- Over a local socket these settings do nothing.
--
-- A day's sorts and groups stay in memory, and a server that gives more still does. Runs are few, so
-- it never adds up to much.
SELECT
    set_config('application_name', 'grader_pipeline', false),
    set_config('TimeZone', 'UTC', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('tcp_user_timeout', '25000', false),
    set_config('work_mem', greatest(setting::bigint, 64 * 1024) || 'kB', false)
FROM pg_settings
WHERE name = 'work_mem';
