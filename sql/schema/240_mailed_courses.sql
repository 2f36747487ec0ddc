-- The figures of courses as the last mail to those of MAIL_COURSES showed them. NULL: the course had no
-- line of its own, or the figure was blank.
CREATE TABLE IF NOT EXISTS mailed_course (
    report_date date    NOT NULL,
    course      text    NOT NULL,
    figure      text    NOT NULL,
    value       numeric,
    PRIMARY KEY (report_date, course, figure)
);
