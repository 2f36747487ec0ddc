"""The twin of the report ``weeks``: each course's week, which ends on Sunday."""

import datetime as dt

from grader_pipeline_tests.reports.twin import (
    DAY,
    UNREAD,
    Attempt,
    Rows,
    grouped,
    missing,
    share,
    submits,
    successes,
    users,
    within,
)

_SUNDAY = 7


def weeks(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> Rows:
    """The lines of a Sunday, by course. Other days have none."""
    if day.isoweekday() != _SUNDAY:
        return {}
    found: Rows = {}
    for course, all_of_it in grouped(attempts, "course").items():
        now = within(all_of_it, day - 6 * DAY, day)
        before = within(all_of_it, day - 13 * DAY, day - 7 * DAY)
        is_known = any(day - 13 * DAY <= other <= day - 7 * DAY for other in loaded)
        if now or before:
            found[course or UNREAD,] = {
                "learners": users(now),
                "submitting_learners": users(a for a in now if a.is_submit),
                "attempts": len(now),
                "submits": submits(now),
                "successes": successes(now),
                "success_share": share(successes(now), submits(now)),
                "learners_before": users(before) if is_known else None,
                "submitting_before": users(a for a in before if a.is_submit) if is_known else None,
                "attempts_before": len(before) if is_known else None,
                "submits_before": submits(before) if is_known else None,
                "success_share_before": share(successes(before), submits(before)),
                "missing": missing(loaded, day, 14),
            }
    return found
