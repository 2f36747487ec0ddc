"""What a mail says of courses and tasks that somebody should look at."""

from collections.abc import Sequence
from decimal import Decimal

from grader_pipeline.reports.russian import counted, number, shown
from grader_pipeline.reports.units import Percent


def _percent(value: Decimal) -> str:
    return shown(Percent(value))


def _users(count: int) -> str:
    return counted(count, "юзера", "юзеров", "юзеров")


def _of_users(count: int) -> str:
    return counted(count, "юзер", "юзера", "юзеров")


def _attempts_of(count: int) -> str:
    return counted(count, "попытки", "попыток", "попыток")


def task(name: str, course: str) -> str:
    """A task, with its course."""
    return f"«{name}» ({course})"


def broken_task(task: str, learners: int, solved: Decimal, before: Decimal) -> str:
    """The share of those who solve a task has fallen sharply."""
    return (
        f"Похоже, сломаны тесты задания {task}: из {_users(learners)} с первого submit решили "
        f"{_percent(solved)}, обычно {_percent(before)}."
    )


def never_solved(tasks: Sequence[tuple[str, int]], more: int) -> str:
    """Nobody has solved some tasks, which so many learners have tried."""
    named = ", ".join(f"{task} — пробовали {_of_users(count)}" for task, count in tasks)
    also = f" и ещё {counted(more, 'задание', 'задания', 'заданий')}" if more else ""
    return f"Никто ещё не решил: {named}{also}. Проверьте тесты и условия."


def fewer_attempts(course: str, now: int, before: int) -> str:
    """A course has under half of the attempts of a week ago."""
    return (
        f"В курсе {course} {counted(now, 'попытка', 'попытки', 'попыток')} (run и submit), "
        f"неделю назад было {number(before)}."
    )


def at_most_attempts(course: str, now: int, before: int) -> str:
    """The same of a course that is only in the merged line."""
    return (
        f"В курсе {course} не больше {_attempts_of(now)} (run и submit), неделю назад было "
        f"{number(before)}."
    )


def lower_share(course: str, now: Decimal, before: Decimal) -> str:
    """A course solves much less than in the seven days before."""
    return (
        f"В курсе {course} успешных submit {_percent(now)}, за семь дней до этого было "
        f"{_percent(before)}."
    )


def more_courses(count: int) -> str:
    """Courses that the mail leaves out."""
    return f"Упали числа и ещё {counted(count, 'курса', 'курсов', 'курсов')}: они на листе «Курсы»."


def state(text: str) -> str:
    """A state of learners without the rule, which the sheet has in parentheses."""
    return text.partition(" (")[0]


def need_help(course: str, states: Sequence[tuple[str, int]]) -> str:
    """How many learners of a course are in the states that call for somebody."""
    found = ", ".join(f"{state(text)} — {number(learners)}" for text, learners in states)
    return f"Кому нужна помощь в курсе {course}: {found}."
