"""An attempt as the JSON text the real grader sends."""

import json
from collections.abc import Iterator
from functools import cache

import numpy as np

from grader_pipeline.sample_api.draw import CONSUMER_KEYS, VERDICTS
from grader_pipeline.sample_api.school import (
    COURSE_WITHOUT_OUTCOME_URL,
    COURSES,
    TASKS_PER_COURSE,
    Columns,
    task_blocks,
)

LMS = "lms.skillfactory.ru"


def rows_as_text(ids: list[str], attempts: Columns) -> Iterator[str]:
    """Give attempts of `draw_day` as JSON objects, ASCII only, without separators."""
    moments = np.datetime_as_string(attempts.moment.astype("datetime64[us]")).tolist()
    for (who, task, consumer, submit, verdict, _), moment in zip(
        attempts.tolist(), moments, strict=True
    ):
        learner = ids[who]
        before, after = _passback_around_learner(task, consumer)
        kind = "submit" if submit else "run"
        clock = moment[11:].removesuffix(".000000")
        yield (
            f'{{"lti_user_id": "{learner}", "passback_params": {before}{learner}{after}, '
            f'"is_correct": {VERDICTS[verdict]}, "attempt_type": "{kind}", '
            f'"created_at": "{moment[:10]} {clock}"}}'
        )


@cache
def _passback_around_learner(task: int, consumer: int) -> tuple[str, str]:
    """Give the JSON text of passback_params before and after the learner's id."""
    number, key = task // TASKS_PER_COURSE, CONSUMER_KEYS[consumer]
    course, block = COURSES[number], task_blocks()[task]
    passback = {
        "oauth_consumer_key": key,
        "lis_result_sourcedid": f"{course}:{LMS}-{block}:<learner>",
    }
    if number != COURSE_WITHOUT_OUTCOME_URL:
        passback["lis_outcome_service_url"] = (
            f"https://{LMS}/courses/{course}/xblock/{course.replace('course-', 'block-', 1)}"
            f"+type@lti+block@{block}/handler_noauth/grade_handler"
        )
    elif key is None:  # without a key, the address is null
        passback["lis_outcome_service_url"] = None
    before, after = json.dumps(repr(passback)).split("<learner>")
    return before, after
