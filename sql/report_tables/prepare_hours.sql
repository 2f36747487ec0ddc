-- The temporary table learner_hour, which some of the day's reports share: sql/schema/263_hours_of_a_day.sql.
SELECT prepare_hours(%(day_start)s, %(day_end)s, %(timezone)s);
