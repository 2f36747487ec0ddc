"""What a day's run does to the tables, and what it never does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import pytest

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.failures import RETRY_RUN_TAG
from grader_pipeline.settings import Settings
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.grader import Grader, attempt, body, rows

DAY = "2023-05-31"
LEARNER, OTHER = "a" * 32, "b" * 32
Query = Callable[..., list[tuple[Any, ...]]]


def day_of_attempts() -> list[Any]:
    return [
        attempt("2023-05-30 21:00:00.000000", LEARNER),
        attempt("2023-05-31 08:00:00", LEARNER, 0),
        attempt("2023-05-31 09:00:00.5", LEARNER, 1),
        attempt("2023-05-31 10:00:00.000001", OTHER, 1, url=None),
        attempt("2023-05-31 20:59:59.999999", OTHER),
    ]


def stored(query: Query) -> list[tuple[Any, ...]]:
    return query("SELECT * FROM grader ORDER BY id")


def test_a_day_reaches_table_ledger_metrics_and_workbook(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows(day_of_attempts())
    result = run_day(DAY)
    assert result.success
    (shown,) = result.asset_materializations_for_node("sheet_report")
    assert str(shown.metadata["the run waited for others"].value).count("% of the run)")
    assert grader.requests == [
        {
            "client": "school",
            "client_key": "key-that-nobody-may-see",
            "start": "2023-05-30 21:00:00.000000",
            "end": "2023-05-31 20:59:59.999999",
        }
    ]
    assert [(row[1], row[5], row[6], str(row[7])) for row in stored(query)] == [
        (LEARNER, None, "run", "2023-05-30 21:00:00"),
        (LEARNER, False, "submit", "2023-05-31 08:00:00"),
        (LEARNER, True, "submit", "2023-05-31 09:00:00.500000"),
        (OTHER, True, "submit", "2023-05-31 10:00:00.000001"),
        (OTHER, None, "run", "2023-05-31 20:59:59.999999"),
    ]
    ledger = (
        "SELECT received, loaded, already_there, duplicates, rejected, differing FROM grader_load"
    )
    assert query(ledger) == [(5, 5, 0, 0, 0, 0)]
    numbers = dict(query("SELECT metric, value FROM daily_metrics WHERE report_date = %s", DAY))
    assert (numbers["submits"], numbers["successful_submits"], numbers["unique_users"]) == (3, 2, 2)
    sheet = openpyxl.load_workbook(Settings().workbook)["Лист1"]
    shown = [[cell.value for cell in row[:3]] for row in sheet.iter_rows(max_row=4)]
    assert shown[0] == ["Дата отчета", "Показатель", "Значение"]
    assert [row[1:] for row in shown[1:]] == [
        ["Количество попыток (submit)", 3],
        ["Количество успешных попыток (submit)", 2],
        ["Количество уникальных юзеров", 2],
    ]


@pytest.mark.parametrize("database_url", ["postgres_18", "debian_postgres"], indirect=True)
def test_a_second_run_of_a_day_changes_no_row_and_no_cell(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows([*day_of_attempts(), attempt("now"), 7])
    assert run_day(DAY).success
    before = [query(f"SELECT xmin, * FROM {table}") for table in ("grader", "grader_rejected")]
    workbook = Settings().workbook.read_bytes()
    assert run_day(DAY).success
    after = [query(f"SELECT xmin, * FROM {table}") for table in ("grader", "grader_rejected")]
    assert after == before
    assert Settings().workbook.read_bytes() == workbook
    assert query("SELECT received, loaded, already_there, rejected FROM grader_load") == [
        (7, 0, 5, 2)
    ]


def test_what_is_refused_is_in_quarantine_with_reasons_place_and_text(
    run_day: Run, grader: Grader, query: Query
) -> None:
    good = day_of_attempts()
    nul = attempt("2023-05-31 11:00:00", "x\0y")
    grader.answer = rows([*good, good[0], attempt("now", ""), None, nul])
    assert run_day(DAY).success
    quarantine = query("SELECT position, reasons, row FROM grader_rejected ORDER BY position")
    assert [(place, reasons) for place, reasons, _ in quarantine] == [
        (5, ["duplicate_key"]),
        (6, ["bad_timestamp", "empty_field"]),
        (7, ["not_an_object"]),
        (8, ["forbidden_character"]),
    ]
    assert quarantine[2][2] == "null"
    assert '"x\\u0000y"' in quarantine[3][2]
    counts = "SELECT received, loaded, already_there, duplicates, rejected FROM grader_load"
    assert query(counts) == [(9, 5, 0, 1, 3)]


def test_no_time_of_an_attempt_is_in_an_event_of_its_run(run_day: Run, grader: Grader) -> None:
    attempts = day_of_attempts()
    grader.answer = rows([*attempts, attempt("2023-05-31 11:00:00", "")])
    events = " ".join(map(dg.serialize_value, run_day(DAY).all_events)).replace("T", " ")
    window = ("2023-05-30 21:00:00", "2023-05-31 20:59:59")  # raw_attempts says what it asked for
    moments = {element["created_at"][:19] for element in attempts} - {*window}
    assert moments
    assert not [moment for moment in (*moments, "2023-05-31 11:00:00") if moment in events]


def test_a_newer_answer_adds_rows_and_loses_none(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    before = stored(query)
    grader.answer = rows([day_of_attempts()[0], attempt("2023-05-31 12:00:00", OTHER, 0)])
    assert run_day(DAY).success
    assert stored(query)[:5] == before
    assert query("SELECT loaded, already_there FROM grader_load") == [(1, 1)]


def test_a_stored_row_that_differs_is_kept_unless_the_newer_truth_is_asked_for(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    before = stored(query)
    changed = day_of_attempts()
    changed[1]["is_correct"] = 1
    grader.answer = rows(changed)
    result = run_day(DAY)
    assert result.success
    assert stored(query) == before
    assert query("SELECT differing FROM grader_load") == [(1,)]
    failed = {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}
    assert "stored_rows_agree" in failed
    update = {"ops": {"grader_table": {"config": {"on_conflict": "update"}}}}
    result = run_day(DAY, config=update)
    assert result.success
    assert query("SELECT already_there, updated, differing FROM grader_load") == [(5, 1, 0)]
    failed = {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}
    # One of the attempts has no outcome URL.
    assert failed == {"outcome_urls_are_whole"}
    (done,) = result.asset_materializations_for_node("grader_table")
    assert (done.metadata["updated"].value, done.metadata["differing"].value) == (1, 0)
    assert [row[5] for row in stored(query)] == [None, True, True, True, None]
    assert [row[0] for row in stored(query)] == [row[0] for row in before]


def test_other_days_are_not_touched(run_day: Run, grader: Grader, query: Query) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    tables = ("grader", "grader_load", "grader_rejected", "daily_metrics")
    before = {table: query(f"SELECT xmin, * FROM {table}") for table in tables}
    grader.answer = rows(
        [
            attempt("2023-06-01 10:00:00", LEARNER, 1),
            attempt("2023-06-01 11:00:00"),
            attempt("never"),
        ]
    )
    assert run_day("2023-06-01").success
    for table in tables:
        after = query(f"SELECT xmin, * FROM {table}")
        assert [row for row in after if row in before[table]] == before[table]


def test_a_day_is_loaded_again_from_the_stored_answer_without_the_api(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    asked = len(grader.requests)
    assert run_day(DAY, selection=[*ASSET_NAMES[1:]]).success
    assert len(grader.requests) == asked
    assert query("SELECT already_there FROM grader_load") == [(5,)]


@pytest.mark.parametrize("damage", [b"", b"no zstd", None], ids=["empty", "garbage", "cut"])
def test_a_damaged_stored_answer_fails_with_advice_and_is_fetched_again(
    run_day: Run, grader: Grader, query: Query, damage: bytes | None
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    (file,) = (Path(Settings().storage) / "raw_attempts").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-10] if damage is None else damage)
    assert "Materialize raw_attempts again" in failure_of(
        run_day(DAY, selection=["validated_attempts"])
    )
    assert run_day(DAY).success
    assert file.read_bytes() == whole
    assert query("SELECT already_there FROM grader_load") == [(5,)]


def _one_sign_changed(whole: bytes) -> bytes:
    """As a disk may do: a sign of the first page's content."""
    return whole[:60] + bytes([whole[60] ^ 1]) + whole[61:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"no parquet",
        lambda whole: whole[:-10],
        lambda whole: whole[: len(whole) // 2] + whole[-1000:],
        _one_sign_changed,
    ],
    ids=["empty", "garbage", "cut", "hole", "changed"],
)
def test_a_damaged_validated_day_loads_nothing_and_says_what_to_do(
    run_day: Run, grader: Grader, query: Query, damage: Callable[[bytes], bytes]
) -> None:
    grader.answer = rows(day_of_attempts())
    assert run_day(DAY, selection=["raw_attempts", "validated_attempts"]).success
    (file,) = (Path(Settings().storage) / "validated_attempts").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    failed = run_day(DAY, selection=["grader_table"])
    said = failure_of(failed)
    assert f"The validated attempts of {DAY} cannot be read (" in said
    assert "Materialize validated_attempts again" in said
    assert failed.dagster_run.tags.get(RETRY_RUN_TAG) == "false"
    assert query("SELECT count(*) FROM grader") == [(0,)]
    assert run_day(DAY, selection=["validated_attempts", "grader_table"]).success
    assert query("SELECT loaded FROM grader_load") == [(5,)]


@pytest.mark.parametrize("day", ["2023-06-01", "2023-06-02"])
def test_an_empty_answer_on_a_working_day_fails_and_erases_nothing(
    run_day: Run, grader: Grader, query: Query, day: str
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    before = stored(query)
    grader.answer = rows([])
    assert "day_volume" in failure_of(run_day(day))
    assert "day_volume" in failure_of(run_day(DAY))
    assert stored(query) == before
    assert query("SELECT report_date::text FROM grader_load") == [(DAY,)]
    assert query("SELECT DISTINCT report_date::text FROM daily_metrics") == [(DAY,)]


def test_an_empty_answer_on_a_first_weekend_day_is_a_day_of_zeros(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows([])
    assert run_day("2023-06-03").success
    assert query("SELECT value FROM daily_metrics WHERE metric = 'submits'") == [(0,)]


def test_a_day_of_rejects_is_not_loaded(run_day: Run, grader: Grader, query: Query) -> None:
    grader.answer = rows([*day_of_attempts(), *[attempt("now")] * 6])
    assert "rejected_share" in failure_of(run_day(DAY))
    assert not query("SELECT to_regclass('grader') IS NOT NULL AND EXISTS (SELECT FROM grader)")[0][
        0
    ]


def test_verdicts_written_as_decimal_numbers_are_reported(
    run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = rows([attempt("2023-05-31 08:00:00"), *decimal_submits()])
    assert run_day(DAY).success
    numbers = dict(query("SELECT metric, value FROM daily_metrics WHERE report_date = %s", DAY))
    assert (numbers["submits"], numbers["successful_submits"]) == (2, 1)


def decimal_submits() -> list[Any]:
    return [
        attempt("2023-05-31 09:00:00", LEARNER, 1.0),
        attempt("2023-05-31 10:00:00", OTHER, 0.0),
    ]


def test_a_day_whose_submits_were_all_refused_is_not_loaded(run_day: Run, grader: Grader) -> None:
    runs = [attempt(f"2023-05-31 08:00:0{n}") for n in range(9)]
    submits = [
        attempt("2023-05-31 09:00:00", LEARNER, "1"),
        attempt("2023-05-31 10:00:00", OTHER, "0"),
    ]
    grader.answer = rows([*runs, *submits])
    said = failure_of(run_day(DAY))
    assert "rejected_share" in said


def test_a_day_with_too_few_submits_for_its_weekday_is_not_loaded(
    run_day: Run, grader: Grader
) -> None:
    for day in ("2023-05-17", "2023-05-24"):
        grader.answer = rows(
            [attempt(f"{day} 08:00:0{n}", verdict=1 if n % 2 else None) for n in range(8)]
        )
        assert run_day(day).success
    grader.answer = rows([attempt(f"{DAY} 08:00:0{n}") for n in range(8)])
    assert "day_volume" in failure_of(run_day(DAY))


@pytest.mark.parametrize(("field", "levels"), [("is_correct", 200), ("unused", 5000)])
def test_an_element_too_deep_to_read_is_in_quarantine_and_the_day_goes_on(
    run_day: Run, grader: Grader, query: Query, field: str, levels: int
) -> None:
    deep = "[" * levels + "]" * levels
    odd = json.dumps(attempt(**{field: "deep"})).replace('"deep"', deep)
    good = [json.dumps(element) for element in day_of_attempts()]
    grader.answer = body(f"[{', '.join([good[0], odd, *good[1:]])}]".encode())
    assert run_day(DAY).success
    assert query("SELECT received, loaded, rejected FROM grader_load") == [(6, 5, 1)]
    assert query("SELECT position, row FROM grader_rejected") == [(1, odd)]


@pytest.mark.parametrize(
    "answer",
    [
        body(b"oops", 500),
        body(b"no", 403),
        body(b"<html>login</html>"),
        body(b'{"errors": "key-that-nobody-may-see is wrong"}'),
        body(b'[{"lti_user_id": "'),
        body(b'[{"lti_user_id": "x"}]', length=1000),
        body('["\u00e9"]'.encode("latin-1")),
    ],
    ids=["500", "403", "html", "errors", "cut", "truncated", "latin-1"],
)
def test_a_bad_answer_changes_nothing_stored_and_never_shows_the_key(
    run_day: Run, grader: Grader, query: Query, answer: Any
) -> None:
    grader.answer = rows(day_of_attempts())
    run_day(DAY)
    raw = Settings().grader_home / "storage" / "raw_attempts" / f"{DAY}.json.zst"
    before = stored(query), query("SELECT * FROM grader_load"), raw.read_bytes()
    grader.answer = answer
    text = failure_of(run_day(DAY))
    assert "grader API" in text
    assert "key-that-nobody-may-see" not in text
    assert (stored(query), query("SELECT * FROM grader_load"), raw.read_bytes()) == before
    log = Settings().logs_dir / "app_log.txt"
    assert not log.exists() or "key-that-nobody-may-see" not in log.read_text()


def test_no_learner_reaches_metadata_logs_or_workbook(run_day: Run, grader: Grader) -> None:
    grader.answer = rows([*day_of_attempts(), attempt("never", LEARNER)])
    result = run_day(DAY)
    assert result.success
    said = repr([event.event_specific_data for event in result.all_events])
    sheets = openpyxl.load_workbook(Settings().workbook)
    cells = repr([[c.value for c in row] for sheet in sheets for row in sheet.iter_rows()])
    assert LEARNER not in said + cells
    assert OTHER not in said + cells
