"""``trace``: the query, the attempts and their elements of one figure, in the terminal only."""

import datetime as dt
import logging
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest

from grader_pipeline.definitions import build_defs
from grader_pipeline.settings import Settings
from grader_pipeline_tests.grader import attempt, learner, rows, running

Run = Callable[..., subprocess.CompletedProcess[str]]
DAY = "2023-05-31"
COURSE = "course-v1:School+A+1"
ELEMENTS = [
    attempt("2023-05-31 09:00:00.5", learner("ann"), 1, course=COURSE),
    attempt("2023-05-31 09:00:01", learner("ann"), course=COURSE),
    attempt("2023-05-31 09:00:01", learner("ann"), course=COURSE),
    attempt("2023-05-31 09:00:02", learner("bob"), 0, course=COURSE),
    attempt("2023-05-31 10:00:03", learner("cat"), 1, task="b" * 32),
]


@pytest.fixture
def loaded(database_url: str, home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A day was loaded through the real chain."""
    with running() as grader:
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key-that-nobody-may-see")
        grader.answer = rows(ELEMENTS)
        job = build_defs().resolve_job_def("grader_day")
        assert job.execute_in_process(partition_key=DAY).success
        yield database_url


def query_of(printed: str) -> str:
    """The query between the headline and the attempts."""
    return printed.split("\n\n")[1]


def test_a_metric_is_traced_to_its_attempts_and_each_to_its_element(loaded: str, run: Run) -> None:
    done = run("trace", DAY, "successful_submits")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("daily_metrics, 2023-05-31: successful_submits = 2 (")
    first, second = done.stdout.split("\n\n")[2].split("\n2023", 1)
    assert "2023-05-31 09:00:00.500000 UTC, 2023-05-31 12:00:00.500000 Europe/Moscow" in first
    assert f"{learner('ann')}, submit, correct, {COURSE}, ca3ecf8e" in first
    assert "  element 0 of answer " in first
    assert learner("cat") in second
    assert "  element 4 of answer " in second
    assert '{"lti_user_id": "' in second
    assert "2 attempts, 2 elements; 0 attempts in no answer" in done.stdout


def test_a_time_of_the_day_is_traced_as_readers_see_it(loaded: str, run: Run) -> None:
    said = run("trace", DAY, "first_attempt").stdout
    assert "first_attempt = 720, shown as 12:00 (Первая попытка, время)" in said


def test_the_query_that_is_printed_is_the_one_that_was_run(loaded: str, run: Run) -> None:
    done = run("trace", DAY, "courses", "submits", f"course={COURSE}")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(loaded) as db:
        found = db.execute(query_of(done.stdout).encode()).fetchall()
    assert len(found) == 2
    assert "2 attempts, 2 elements" in done.stdout


def test_elements_that_became_no_attempt_are_traced_with_their_reasons(
    loaded: str, run: Run
) -> None:
    done = run("trace", DAY, "duplicates")
    assert "  element 2 of answer " in done.stdout
    assert ", refused: duplicate_key\n" in done.stdout
    assert "0 attempts, 1 elements" in done.stdout
    assert (
        "0 attempts, 5 elements"
        in run("trace", DAY, "data_health", "value", "metric=received").stdout
    )


def test_an_attempt_that_another_program_wrote_is_said_to_be_in_no_answer(
    loaded: str, run: Run
) -> None:
    with psycopg.connect(loaded) as db:
        db.execute(
            "INSERT INTO grader (user_id, attempt_type, created_at) VALUES ('\x1b[2Jx', 'run', %s)",
            [dt.datetime(2023, 5, 31, 12)],
        )
    done = run("trace", DAY, "attempts")
    assert "in no answer that is kept: another program wrote it" in done.stdout
    assert "5 attempts, 4 elements; 1 attempts in no answer" in done.stdout
    assert "\x1b" not in done.stdout


def test_learners_are_in_no_log_and_not_on_stderr(
    loaded: str, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        done = run("trace", DAY, "attempts")
    assert learner("ann") in done.stdout
    logged = [path.read_text() for path in Settings().logs_dir.glob("*")]
    assert not [text for text in (caplog.text, done.stderr, *logged) if learner("ann") in text]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No metric of the day is named nonsense. 2023-05-31 has submits, "),
        (["nonsense", "learners"], "No report is named nonsense. There are: attention, "),
        (["courses", "nonsense"], "courses has no column nonsense. It has course, "),
        (["courses", "learners", "nonsense=1"], "courses has no column nonsense"),
        (
            ["courses", "learners"],
            "courses of 2023-05-31 has 2 such lines. Name one, with course=…",
        ),
        (["tasks", "learners", "course=x"], "tasks of 2023-05-31 has no line with course=x"),
        (["tasks", "learners", "period=день"], "has 2 such lines. Name one, with course=… task=…"),
        (["tasks", "learners", "task=прочие"], "«прочие» is made of several lines"),
        (["submits", "metric=x"], "name one figure: METRIC, or REPORT COLUMN key=value"),
        (["a", "b", "c"], "name one figure"),
    ],
)
def test_a_figure_that_is_not_there_is_refused_with_what_there_is(
    loaded: str, run: Run, words: list[str], said: str
) -> None:
    done = run("trace", DAY, *words)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_day_that_is_not_stored_is_refused(loaded: str, run: Run) -> None:
    done = run("trace", "2023-05-30", "submits")
    assert done.returncode == 1
    assert "2023-05-30 is not stored" in done.stderr


def test_the_help_says_that_the_output_names_learners(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("trace", "--help")
    assert "names learners" in capfd.readouterr().out
