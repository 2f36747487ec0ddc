-- Course and task are read out of more forms of lis_result_sourcedid than before: percent-encoded
-- texts of Open edX, readable block ids, hosts with ports, old courses, Moodle, Canvas. The rules are
-- also in grader_pipeline/attempts/course_and_task.py, for what is counted before the load. A test
-- compares the two.
--
-- The days whose attempts now have other names are marked, so that they are rolled up again. That
-- reads each attempt once: 2 to 8 seconds for each 1,000,000 of them. Nothing is locked.

-- A text without its percent-encoding, or NULL if what it encodes is no UTF-8 or a control character.
CREATE OR REPLACE FUNCTION percent_decoded(encoded text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    -- PL/pgSQL, because it keeps the plan. A function in SQL would plan each call.
    IF encoded COLLATE "C" ~* (
        '^([^%]|%[2-7][0-9a-f]|%(c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]'
        '|%(e0%[ab]|e[1-9abcef]%[89ab]|ed%[89])[0-9a-f]%[89ab][0-9a-f]'
        '|%(f0%[9ab]|f[1-3]%[89ab]|f4%8)[0-9a-f](%[89ab][0-9a-f]){2})*$'
    ) THEN
        RETURN (
            SELECT convert_from(string_agg(
                coalesce(decode(part[1], 'hex'), convert_to(part[2], 'UTF8')),
                ''::bytea ORDER BY place
            ), 'UTF8')
            FROM regexp_matches(encoded, '%(..)|([^%]+)', 'g')
                WITH ORDINALITY AS found (part, place)
        );
    END IF;
    RETURN NULL;
END
$$;

-- Course and task of an attempt, or NULL if its lis_result_sourcedid has no readable ones. No part of
-- a text that could not be read is in a name, and the learner never is.
CREATE OR REPLACE FUNCTION parsed_course_and_task(sourcedid text, learner text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    plain  text COLLATE "C" := sourcedid;
    course text COLLATE "C";
    link   text COLLATE "C";
    task   text COLLATE "C";
    parts  text[];
    -- No blanks, no signs that ids of courses and blocks lack.
    name   CONSTANT text := '^[^\u0001-\u0020!"#$%&''()*,;<=>?\[\\\]^`{|}\u007f-\u00a0\u1680'
        '\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+$';
BEGIN
    IF strpos(plain, '%') > 0 THEN
        plain := percent_decoded(plain);
    END IF;

    -- Moodle: {"data":{"instanceid":"12","userid":"3",…},"hash":"…"}
    IF plain LIKE '{%' THEN
        course := 'Moodle';
        task := substring(plain FROM '"instanceid" *: *"?([0-9]+)[" ,}]');

    -- Open edX: context:host-block:learner. The context of a course, a library or a custom course has
    -- a colon, that of an old course is Org/Course/Run.
    ELSIF plain ~* '^(course|ccx|library)-v1:[^:/]+:' THEN
        course := lower(split_part(plain, ':', 1)) || ':' || split_part(plain, ':', 2);
    ELSIF plain ~ '^[^:/]+/[^:/]+/[^:/]+:' THEN
        course := split_part(plain, ':', 1);

    -- Canvas: tool-course-assignment-learner-signature. If the attempt's learner is among the parts,
    -- the order does not matter.
    ELSIF plain ~ '^[0-9A-Za-z]+(-[0-9A-Za-z]+){2,4}$' THEN
        parts := string_to_array(plain, '-');
        IF parts[cardinality(parts)] <> learner
            AND parts[cardinality(parts)] ~ '^[0-9A-Fa-f]{32,}$'
        THEN
            parts := parts[:cardinality(parts) - 1];
        END IF;
        IF learner = ANY (parts) AND length(learner) >= 8 THEN
            parts := array_remove(parts, learner);
        ELSIF cardinality(parts) = 4 THEN
            parts := parts[:3];
        ELSE
            RETURN NULL;
        END IF;
        task := array_to_string(parts, '-');
        IF task !~ '^[0-9]+(-[0-9]+)+$' THEN
            RETURN NULL;
        END IF;
        course := 'Canvas' || CASE WHEN cardinality(parts) = 3 THEN ' ' || parts[2] ELSE '' END;
    END IF;

    IF task IS NULL AND course IS NOT NULL AND course <> 'Moodle' THEN
        link := substr(plain, length(course) + 2);
        link := left(link, -strpos(reverse(link), ':'));
        -- A dash joins host and block, and both may have dashes. Where a host ends depends on the host
        -- alone, so that two blocks are never one task.
        task := CASE
            WHEN length(link) > 33 AND right(link, 33) ~ '^-[0-9A-Fa-f]+$' AND left(link, -33)
                ~ '^([A-Za-z0-9_.-]+\.)?(xn--[A-Za-z0-9]+|[A-Za-z0-9_]+)(:[0-9]+)?$'
                THEN right(link, 32)
            WHEN link ~ '^(localhost|[A-Za-z0-9_]+:[0-9]+)-'
                THEN substr(link, strpos(link, '-') + 1)
            ELSE coalesce(
                substr(link, 1 + length(substring(link FROM
                    '^[A-Za-z0-9_]+(?:\.(?:xn--[A-Za-z0-9]+|[A-Za-z0-9_]+))+(?::[0-9]+)?-'))),
                -- Its first name has dashes. So has "lms-lab.1-b", the block lab.1-b of the host lms.
                substr(link, 1 + length(substring(link FROM
                    '^[A-Za-z0-9_-]*[A-Za-z0-9_](?:\.(?:xn--[A-Za-z0-9]+|[A-Za-z0-9_]+))*'
                    '\.(?:xn--[A-Za-z0-9]+|[A-Za-z]{2,})(?::[0-9]+)?-'))),
                substr(link, 1 + length(substring(link FROM '^[A-Za-z0-9_]+-')))
            )
        END;
    END IF;

    -- Letters are counted by length: an expression that counts takes eighty times as long.
    IF replace(course, 'Canvas ', '') ~ name AND task ~ name
        AND length(replace(course, 'Canvas ', '')) <= 255 AND length(task) <= 255
        AND NOT (length(learner) >= 8 AND strpos(course || ' ' || task, learner) > 0)
    THEN
        RETURN ARRAY[course, task];
    END IF;
    RETURN NULL;
END
$$;

-- The same for a day's attempts, fast. Nearly all have the form of the first branch, and PostgreSQL
-- inlines it: parsing each text takes eight times as long.
CREATE OR REPLACE FUNCTION course_and_task(sourcedid text, learner text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN sourcedid COLLATE "C" ~
        '^course-v1:[A-Za-z0-9+._-]+:[a-z0-9]+([.][a-z0-9]+)*-[0-9a-f]+:[0-9a-f]+$'
     AND length(sourcedid) <= 255
     AND strpos(sourcedid, learner) = 1 + length(sourcedid) - length(learner)
        THEN ARRAY[
            'course-v1:' || split_part(sourcedid, ':', 2),
            split_part(split_part(sourcedid, ':', 3), '-', 2)
        ]
    ELSE parsed_course_and_task(sourcedid, learner)
END
$$;

-- The attempts with their parts named. What cannot be read is named so, never left out: it counts in
-- totals. The names are compared byte by byte: they are no words, and reports sort by them all the
-- time. OFFSET makes PostgreSQL read each text once, not once for each column.
CREATE OR REPLACE VIEW attempt AS
SELECT
    coalesce(names[1], 'не распознан') COLLATE "C"     AS course,
    coalesce(names[2], 'не распознано') COLLATE "C"    AS task,
    user_id COLLATE "C"                                AS user_id,
    created_at,
    lis_outcome_service_url,
    attempt_type = 'run'                               AS is_run,
    attempt_type = 'submit'                            AS is_submit,
    attempt_type = 'submit' AND is_correct IS TRUE     AS is_success,
    attempt_type = 'submit' AND is_correct IS FALSE    AS is_wrong
FROM grader
CROSS JOIN LATERAL (
    SELECT course_and_task(lis_result_sourcedid, user_id) AS names OFFSET 0
) AS readable;

-- Tasks that reports may name. The attempts of the others count in totals and in data_health.
CREATE OR REPLACE VIEW known_task AS
SELECT id, course, task
FROM task
WHERE course <> 'не распознан' AND task <> 'не распознано';

-- As before (070_stuck_and_other_learner_states.sql explains it), of known tasks only.
CREATE OR REPLACE FUNCTION learner_states(day date)
RETURNS TABLE (
    course             text,
    user_id            varchar(255),
    stuck_tasks        bigint,
    submits_7          bigint,
    solved_7           bigint,
    submits_per_solved double precision,
    is_stuck           boolean,
    is_struggling      boolean,
    is_disengaging     boolean,
    is_run_only        boolean
)
LANGUAGE sql STABLE
AS $$
WITH on_tasks AS (
    SELECT
        engagement, learner, task,
        sum(runs)                                                    AS runs,
        sum(submits)                                                 AS submits,
        sum(wrong_submits)                                           AS wrong_submits,
        coalesce(sum(submits) FILTER (WHERE report_date > day - 7), 0) AS submits_7,
        coalesce(bool_or(successes > 0) FILTER (WHERE report_date > day - 7), false) AS solved_7,
        bool_or(report_date > day - 7)                               AS tried_7,
        bool_or(report_date > day - 14 AND report_date <= day - 7)   AS tried_week_before
    FROM engagement_day
    WHERE report_date > day - 28 AND report_date <= day
    GROUP BY engagement, learner, task
),
-- Numbers grow with the days: engagements older than those of the 28 days need not be looked at.
solved AS (
    SELECT id AS engagement
    FROM engagement
    WHERE id >= (SELECT min(engagement) FROM on_tasks) AND first_success_date <= day
),
in_course AS (
    SELECT
        task.course, learner,
        count(*) FILTER (WHERE wrong_submits >= 5 AND solved.engagement IS NULL) AS stuck_tasks,
        sum(runs)                          AS runs,
        sum(submits)                       AS submits,
        sum(submits_7)::bigint             AS submits_7,
        count(*) FILTER (WHERE solved_7)   AS solved_7,
        bool_or(tried_7)                   AS tried_7,
        bool_or(tried_week_before)         AS tried_week_before
    FROM on_tasks
    JOIN known_task AS task ON task.id = on_tasks.task
    LEFT JOIN solved USING (engagement)
    GROUP BY learner, task.course
),
effort AS (
    SELECT
        *,
        CASE
            WHEN solved_7 > 0 THEN submits_7::float8 / solved_7
            WHEN submits_7 > 0 THEN 'Infinity'
        END AS per_solved
    FROM in_course
),
usual_effort AS MATERIALIZED (
    SELECT
        course,
        percentile_disc(0.85) WITHIN GROUP (ORDER BY per_solved) AS high,
        min(per_solved)                                          AS least
    FROM effort
    GROUP BY course
)
SELECT
    course, user_id, stuck_tasks, submits_7, solved_7,
    nullif(per_solved, 'Infinity'),
    stuck_tasks > 0,
    coalesce(per_solved >= high AND per_solved > least, false),
    tried_week_before AND NOT tried_7,
    runs > 0 AND submits = 0
FROM effort
JOIN usual_effort USING (course)
JOIN learner ON learner.id = effort.learner
$$;

-- Only GRADER_TIMEZONE says when a day begins. The first and the last attempt of a day's rollup enclose
-- its attempts too.
INSERT INTO grader_change (quarter_hour)
SELECT date_bin('15 minutes', first_at, '2000-01-01')
FROM (
    SELECT min(first_at) AS first_at, max(last_at) AS last_at
    FROM engagement_day
    GROUP BY report_date
) AS day
-- LIMIT ends the search of a day at the first such attempt.
CROSS JOIN LATERAL (
    SELECT
    FROM grader
    CROSS JOIN LATERAL (
        SELECT course_and_task(lis_result_sourcedid, user_id) AS names OFFSET 0
    ) AS readable
    WHERE created_at BETWEEN first_at AND last_at
      -- The names of 060_rollups.sql.
      AND (
        CASE WHEN lis_result_sourcedid COLLATE "C" LIKE 'course-v1:_%:%'
            THEN 'course-v1:' || split_part(lis_result_sourcedid, ':', 2)
            ELSE 'не распознан'
        END,
        CASE WHEN lis_result_sourcedid COLLATE "C" LIKE 'course-v1:_%:%-%:%'
              AND length(split_part(lis_result_sourcedid, ':', 3)) > 32
              AND right(split_part(lis_result_sourcedid, ':', 3), 33) ~ '^-[0-9a-f]+$'
            THEN right(split_part(lis_result_sourcedid, ':', 3), 32)
            ELSE 'не распознано'
        END
      ) <> (coalesce(names[1], 'не распознан'), coalesce(names[2], 'не распознано'))
    LIMIT 1
) AS renamed;
