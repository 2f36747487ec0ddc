"""Days of metrics as the pipeline leaves them in PostgreSQL."""

import datetime as dt

DAY = dt.date(2023, 5, 31)
LABELS = {
    "submits": "Количество попыток (submit)",
    "successful_submits": "Количество успешных попыток (submit)",
    "unique_users": "Количество уникальных юзеров",
}


def insert_metrics(db, day: dt.date, values: dict[str, tuple[str, object]]) -> None:
    for metric, (label, value) in values.items():
        db.execute(
            "INSERT INTO daily_metrics (report_date, place, metric, label, value)"
            " VALUES (%s, %s, %s, %s, %s)",
            [day, [*LABELS, metric].index(metric), metric, label, value],
        )


def outdate(postgres, day: str) -> None:
    """A stored day whose report was computed from less than the rollups hold now."""
    with postgres.transaction() as db:
        db.execute(
            "INSERT INTO rollup_day (report_date, version) VALUES (%s, nextval('rollup_version'))",
            [day],
        )
        db.execute(
            "INSERT INTO report_day (report, report_date, inputs, day_version)"
            " VALUES ('daily_metrics', %s, 0, 0)",
            [day],
        )
