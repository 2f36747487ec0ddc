-- The day's numbers, a line each, with the label that course staff read and its place among them.
CREATE TABLE IF NOT EXISTS daily_metrics (
    report_date date     NOT NULL,
    place       smallint NOT NULL,
    metric      text     NOT NULL,
    label       text     NOT NULL,
    value       numeric,
    PRIMARY KEY (report_date, metric)
);
