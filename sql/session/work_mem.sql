-- A day's sorts and groups then stay in memory, and a server that gives more still does. Runs are few,
-- so it never adds up to much.
SELECT set_config('work_mem', greatest(setting::bigint, 64 * 1024) || 'kB', false)
FROM pg_settings
WHERE name = 'work_mem';
