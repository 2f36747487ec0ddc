-- Which days each report of sql/reports has stored, and out of what: inputs is the sum of the
-- versions (rollup_day) of the days it looked at. Another sum now means: out of date.
CREATE TABLE IF NOT EXISTS report_day (
    report      text   NOT NULL,
    report_date date   NOT NULL,
    inputs      bigint NOT NULL,
    PRIMARY KEY (report, report_date)
);

-- Reports that could not be computed for a day, and why. Gone as soon as they can.
CREATE TABLE IF NOT EXISTS report_failure (
    report_date date NOT NULL,
    report      text NOT NULL,
    message     text NOT NULL,
    PRIMARY KEY (report_date, report)
);
