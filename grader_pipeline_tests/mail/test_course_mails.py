"""Somebody of MAIL_COURSES reads what the sheet shows of their courses, and nothing else."""

import datetime as dt
import time

import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from grader_pipeline.mail import attention, courses
from grader_pipeline.mail.letter import write
from grader_pipeline.mail.message import Links
from grader_pipeline_tests.mail.mail_runs import CHANGED, SUCCESS, trouble
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, OTHER, RUN, WRONG, X, Y, at

TINY = "course-v1:S+TINY+1"
LINKS = Links("Таблица", "https://sheet.example/")
CLARA, DORA = "clara@school.example", "dora@school.example"
THEIRS = f"Ваши курсы — отчёт за {DAY:%d.%m.%Y}"
NAMES = ("one", "two", "three", "four", "five", "six", "seven")


def day_of(school: School, solved: int = 3) -> None:
    """Seven learners in a course, six in another, two in a tiny one."""
    school.load(DAY, [
        *(at(f"10:0{n}", name, n < solved) for n, name in enumerate(NAMES)),
        *(at(f"11:0{n}", name, RUN, Y, OTHER) for n, name in enumerate(NAMES[:6])),
        *(at(f"12:0{n}", f"shy {n}", OK, X, TINY) for n in range(2)),
    ])  # fmt: skip
    school.compute(DAY)


@pytest.fixture
def school(postgres, monkeypatch) -> School:
    school = School(postgres)
    day_of(school)
    monkeypatch.setenv("MAIL_COURSES", f"{CLARA} = {COURSE}; Dora <{DORA}> = {TINY}, {OTHER}")
    return school


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_each_reader_gets_the_figures_of_their_courses_once_and_no_others(
    school, run, subjects, outbox_rows
):
    run()
    assert sorted(subjects()) == sorted([SUCCESS, f"{CLARA}: {THEIRS}", f"Dora <{DORA}>: {THEIRS}"])
    run()
    assert subjects() == []
    with school.postgres.transaction() as db:
        clara = plain(write(courses.ready(db, DAY, [COURSE], [], LINKS)).text)
        dora = plain(write(courses.ready(db, DAY, [TINY, OTHER], [], LINKS)).text)
    figures = "Попыток (submit): 7\nУспешных попыток (submit): 3\nДоля успешных: 42,9 %"
    assert f"{COURSE}\n{figures}" in clara
    assert OTHER not in clara
    assert TINY not in clara
    assert COURSE not in dora
    assert [row["kind"] for row in outbox_rows()].count("courses") == 2
    assert not [row for row in outbox_rows() if "@" in row["key"]], "keys are logged"


def test_a_course_that_the_sheet_does_not_show_has_no_figures_here(school):
    with school.postgres.transaction() as db:
        shown = {line["course"] for line in attention.Shown(db, DAY).lines("courses")}
        assert TINY not in shown
        message = courses.ready(db, DAY, [TINY, "course-v1:No+Such+1"], [], LINKS)
        assert courses.read_figures(db, [DAY], [TINY]) == {
            DAY: {TINY: dict.fromkeys(("submits", "successes", "success_share", "learners"))}
        }
    for part in message.parts:
        assert not part.figures
        assert part.lines[0].startswith(f"{part.title}: чисел за этот день нет")


def test_a_name_is_shown_and_gives_nobody_another_course(school, run, subjects, text_of):
    """Whoever edits the sheet may give a course the name or nearly the id of another one."""
    with school.postgres.transaction() as db:
        db.execute(
            "INSERT INTO given_name (course, task, name) VALUES (%s, '', %s), (%s, '', %s)",
            [COURSE, "Введение", OTHER, TINY],
        )
        clara = courses.ready(db, DAY, [COURSE], [], LINKS)
        dora = courses.ready(db, DAY, [TINY], [], LINKS)
    assert [part.title for part in clara.parts] == ["Введение"]
    assert not dora.parts[0].figures
    run()
    assert len(subjects()) == 3
    with school.postgres.transaction() as db:
        db.execute("UPDATE given_name SET name = 'Введение в анализ' WHERE course = %s", [COURSE])
    run()
    assert subjects() == [], "a renaming is no change"


def test_a_later_run_tells_a_reader_only_of_changes_in_their_courses(
    school, run, subjects, text_of
):
    run()
    assert len(subjects()) == 3
    day_of(school, solved=5)
    run()
    changed = f"{CLARA}: Числа ваших курсов изменились — отчёт за {DAY:%d.%m.%Y}"
    assert sorted(subjects()) == sorted([CHANGED, changed])
    text = text_of("courses_changed")
    assert "Успешных попыток (submit): было 3, стало 5" in text
    assert "Юзеров" not in text, "what is as before"
    run()
    assert subjects() == []


def test_a_silent_run_mails_no_reader_and_is_no_change_later(school, run, subjects):
    run()
    assert len(subjects()) == 3
    day_of(school, solved=5)
    run(grader__mail="none")
    run()
    assert subjects() == []


@pytest.mark.parametrize(
    "broken", ["course_mails.courses.ready", "attention.of_day", "weekly.enqueue"]
)
def test_no_report_is_late_because_of_what_comes_beside_it(
    school, run, subjects, text_of, monkeypatch, broken
):
    def fail(db, *given):
        (db.db if isinstance(db, attention.Shown) else db).execute("SELECT 1 / 0")

    monkeypatch.setattr(f"grader_pipeline.mail.{broken}", fail)
    run()
    assert SUCCESS in subjects()
    assert "Количество попыток (submit): 9" in text_of("success")


def test_a_day_that_failed_is_mailed_to_no_reader_before_it_is_there(school, run, subjects):
    trouble[DAY.isoformat()] = ValueError("odd")
    run()
    assert not [mail for mail in subjects() if THEIRS in mail]
    trouble.clear()
    run()
    assert len([mail for mail in subjects() if THEIRS in mail]) == 2


def test_the_days_of_a_backfill_are_one_mail_to_each_reader_and_known_from_then_on(
    school, run, subjects, text_of, instance
):
    first, before = (DAY - dt.timedelta(days=back) for back in (2, 1))
    days = [first, before, DAY]
    for day in days[:2]:
        school.load(day, [at(f"10:0{n}", name, OK, back=(DAY - day).days)
                          for n, name in enumerate(NAMES[:5])])  # fmt: skip
        school.compute(day)
    run(first.isoformat())
    assert len(subjects()) == 3
    keys = [day.isoformat() for day in days]
    backfill = PartitionBackfill(
        "days", BulkActionStatus.REQUESTED, False, {}, time.time(), partition_names=keys
    )
    instance.add_backfill(backfill)
    for key in keys:
        run(key, dagster__backfill="days")
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))

    reports = f"отчёты за {before:%d.%m.%Y}–{DAY:%d.%m.%Y} (2 дня)"
    readers = [f"{who}: Ваши курсы — {reports}" for who in (CLARA, f"Dora <{DORA}>")]
    mails = subjects()
    assert sorted(mail for mail in mails if "Ваши курсы" in mail) == sorted(readers)
    assert len(mails) == 3, "and a digest of all days to colleagues"
    assert text_of("courses_digest")
    with school.postgres.transaction() as db:
        figures = courses.read_figures(db, days[1:], [COURSE, TINY])
        text = plain(write(courses.digest(db, figures, [COURSE, TINY], [], LINKS)).text)
    assert (
        f"ср {DAY:%d.%m}: попыток (submit) 7, успешных попыток (submit) 3, юзеров с попытками 7"
        in text
    )
    assert (
        f"вт {before:%d.%m}: попыток (submit) 5, успешных попыток (submit) 5, юзеров с попытками 5"
        in text
    )
    assert (
        f"ср {DAY:%d.%m}: попыток (submit) —, успешных попыток (submit) —, юзеров с попытками —"
        in text
    ), "of the tiny course"
    assert "—: чисел за день нет, потому что" in text

    day_of(school, solved=5)
    run()
    changed = f"{CLARA}: Числа ваших курсов изменились — отчёт за {DAY:%d.%m.%Y}"
    assert changed in subjects()


def test_what_fell_in_a_course_is_in_its_mail_and_nobody_elses(postgres):
    """Twenty learners a week ago, a quarter of their attempts today."""
    school = School(postgres)
    week_ago = [at(f"1{n % 10}:{n:02}", f"name {n}", OK, back=7) for n in range(20)]
    more = [at(f"2{n % 3}:{n:02}", f"name {n}", WRONG, back=7) for n in range(20)]
    school.load(DAY - dt.timedelta(days=7), [*week_ago, *more])
    today = [at(f"10:{n:02}", f"name {n}", WRONG) for n in range(10)]
    others = [at(f"11:{n:02}", f"name {n}", OK, Y, OTHER) for n in range(10)]
    school.load(DAY, [*today, *others])
    for day in (DAY - dt.timedelta(days=7), DAY):
        school.compute(day)
    with postgres.transaction() as db:
        mine, others = (
            [plain(text) for text in courses.ready(db, DAY, [each], [], LINKS).warnings]
            for each in (COURSE, OTHER)
        )
        all_of_them = [plain(text) for text in attention.of_day(attention.Shown(db, DAY), [])]
    assert f"В курсе {COURSE} 10 попыток (run и submit), неделю назад было 40." in mine
    assert f"В курсе {COURSE} успешных submit 0 %, за семь дней до этого было 50 %." in mine
    assert others == []
    assert set(mine) <= set(all_of_them)
