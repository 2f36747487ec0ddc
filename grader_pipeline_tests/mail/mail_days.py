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
