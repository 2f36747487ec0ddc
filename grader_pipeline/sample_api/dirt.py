"""Rows that no pipeline should load: what real days bring, and what a worse day could.

A dirty row is a copy of a clean one, its model. It is spoiled in one way and up to three seconds
later. It is added right behind its model, so that each window has both or none.
"""

import ast
import datetime as dt
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

Element = dict[str, Any]
Spoil = Callable[[Element], object]

LONG = 300  # characters, more than any column of the table `grader` that has a limit
CUT_AT = 65_536  # characters, where some gateway stopped copying passback_params


def draw_dirt(count: int, chance: np.random.Generator) -> Iterator[Callable[[str], str]]:
    """Give, for each dirty row, the function that makes its JSON text of its model's.

    If there are enough rows, each kind of dirt occurs at least once. How common a kind is decides
    about the others. All are shuffled.
    """
    shares = np.array([share for share, _ in DIRT], dtype=np.float64)
    usual = chance.choice(len(DIRT), count, p=shares / shares.sum())
    kinds = chance.permutation(np.concatenate([np.arange(len(DIRT)), usual])[:count])
    delays = chance.integers(1_000, 3_000_000, count)  # microseconds
    for kind, delay in zip(kinds.tolist(), delays.tolist(), strict=True):
        yield partial(_spoiled, DIRT[kind][1], dt.timedelta(microseconds=delay))


def _spoiled(spoil: Spoil, delay: dt.timedelta, model: str) -> str:
    row = json.loads(model)
    if spoil not in TWINS:
        moment = dt.datetime.fromisoformat(row["created_at"]) + delay
        row["created_at"] = moment.isoformat(" ", "microseconds")
    return json.dumps(spoil(row))


def _same(row: Element) -> Element:
    return row


def _set(field: str, value: object) -> Spoil:
    return lambda row: row | {field: value}


def _drop(field: str) -> Spoil:
    return lambda row: {name: value for name, value in row.items() if name != field}


def _changed(field: str, change: Callable[[str], object]) -> Spoil:
    return lambda row: row | {field: change(row[field])}


def _dated(pattern: str) -> Spoil:
    """Write created_at anew; `{day}` and `{clock}` in the pattern are the true ones."""
    return _changed("created_at", lambda at: pattern.format(day=at[:10], clock=at[11:]))


def _inside(change: Spoil) -> Spoil:
    """Spoil a field inside of passback_params."""
    return _changed("passback_params", lambda text: repr(change(ast.literal_eval(text))))


_text = partial(_changed, "passback_params")
_learner = partial(_changed, "lti_user_id")
SOURCEDID = "lis_result_sourcedid"
_other_task = _inside(_set(SOURCEDID, "course-v1:SkillFactory+TWIN:lms.skillfactory.ru-0:0"))

TWINS = (_same, _other_task)
"""These keep the key of their model: the learner and the moment."""

DIRT: tuple[tuple[float, Spoil], ...] = (
    # How common, and how spoiled. The heading is the reason a pipeline should give.
    # a duplicate, and no reason to reject anything
    (30, _same),
    # duplicate_key
    (4, _other_task),
    # null_field
    (20, _set("lti_user_id", None)),
    (20, _set("passback_params", None)),
    (2, _set("attempt_type", None)),
    (2, _set("created_at", None)),
    (2, _inside(_set(SOURCEDID, None))),
    # missing_field
    (4, _drop("lti_user_id")),
    (4, _drop("passback_params")),
    (2, _drop("attempt_type")),
    (2, _drop("created_at")),
    (8, _inside(_drop(SOURCEDID))),
    # empty_field
    (8, _set("lti_user_id", "")),
    (4, _set("passback_params", "")),
    (2, _set("attempt_type", "")),
    (2, _set("created_at", "")),
    (3, _inside(_set(SOURCEDID, ""))),
    # wrong_type
    (3, _set("lti_user_id", 3583109)),
    (2, _set("passback_params", 17)),
    (3, _set("is_correct", "1")),
    (2, _set("is_correct", [1])),
    (2, _set("attempt_type", 1)),
    (2, _set("created_at", 1685524571)),
    (2, _inside(_set(SOURCEDID, 3583109))),
    # undecodable_passback_params
    (6, _text(lambda text: text[: len(text) // 2])),
    (3, _text(lambda text: text.replace("': '", "': "))),
    (2, _text(lambda _: "<html><body>502 Bad Gateway</body></html>")),
    (1, _text(lambda _: "__import__('os').getcwd()")),
    (1, _text(lambda text: "(" * 3_000 + text)),
    (0.5, _text(lambda text: (text[:-1] + ", 'custom_state': '" + "x" * CUT_AT)[:CUT_AT])),
    # unexpected_value
    (3, _set("is_correct", 2)),
    (2, _set("is_correct", -1)),
    (4, _set("attempt_type", "preview")),
    # too_long
    (2, _learner(lambda learner: (learner * LONG)[:LONG])),
    (2, _inside(_set("oauth_consumer_key", "k" * LONG))),
    # bad_timestamp
    (2, _set("created_at", "now")),
    (2, _set("created_at", "infinity")),
    (2, _set("created_at", "yesterday, I think")),
    (2, _dated("{day} 24:00:00.000000")),
    (2, _dated("{day} {clock}+03:00")),
    (2, _dated("{day} 12:61:07.313646")),
    (2, _set("created_at", "2023-02-30 09:16:11.313646")),
    # outside_window
    (3, _dated("1970-01-01 {clock}")),
    # forbidden_character
    (2, _learner(lambda learner: learner[:31] + "\0")),
    (2, _learner(lambda learner: learner[:31] + "\ud800")),
    (2, _inside(_set(SOURCEDID, "course-v1:SkillFactory+NUL\0:lms.skillfactory.ru-0:0"))),
    (1, _inside(_set(SOURCEDID, "course-v1:SkillFactory+\udc80:lms.skillfactory.ru-0:0"))),
    # not_an_object
    (1, lambda _: None),
    (1, lambda _: "row lost"),
    (1, lambda row: list(row.values())),
    (1, lambda _: 42),
)
