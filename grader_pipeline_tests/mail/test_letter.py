"""What the mails say, from real rows in PostgreSQL."""

import datetime as dt
import email
import email.policy
import re
from decimal import Decimal
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

import pytest

from grader_pipeline.mail import letter
from grader_pipeline.mail.mime import to_bytes
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports import russian
from grader_pipeline.reports.day_metrics import read_day, read_main_numbers
from grader_pipeline_tests.mail.mail_days import DAY, LABELS, insert_metrics

SHEET = letter.Links("Агрегированные данные за день", "https://docs.google.com/spreadsheets/d/1")
LEARNER = "3583bf109f8b458e13ae1ac9d85c396a"


@pytest.fixture
def db(postgres):
    with postgres.transaction() as db:
        yield db


@pytest.fixture
def day(db):
    """The published day, its neighbours, an analyst's new metric, and rejected rows."""
    for back, values in {0: (2513, 879, 292), 1: (2200, 900, 300), 7: (2533, 0, None)}.items():
        named = {name: (LABELS[name], value) for name, value in zip(LABELS, values, strict=True)}
        insert_metrics(db, DAY - dt.timedelta(days=back), named)
    insert_metrics(db, DAY, {"aaa": ("Доля <успешных>, %", Decimal("34.978"))})
    db.execute(
        "INSERT INTO grader_load (report_date, run_id, received, loaded, already_there, duplicates,"
        " rejected, differing, body_sha256) VALUES (%s, 'r', 6700, 6458, 0, 32, 210, 0, 'x')",
        [DAY],
    )
    for position, reasons in enumerate([["null_field"], ["null_field", "bad_timestamp"]]):
        row = f'{{"lti_user_id": "{LEARNER}"}}'
        db.execute(
            "INSERT INTO grader_rejected VALUES (%s, %s, %s, %s)", [DAY, position, reasons, row]
        )
    return read_day(db, DAY)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_mail_has_the_days_numbers_and_their_change_in_both_forms(day):
    written = letter.success(day, [], SHEET)
    assert written.subject == "Выгрузка grades завершена — отчёт за 31.05.2023"
    for body in (plain(written.text), plain(written.html)):
        assert "Коллеги, добрый день!" in body
        assert "2 513" in body
        assert "+313 (+14,2 %)" in body
        assert "−20 (−0,8 %)" in body
        assert SHEET.sheet_url in body
        assert "поле пустое (null) — 2, неверное время — 1." in body
        assert "отклонено 210 (3,1 %)" in body
        assert LEARNER not in body
    assert "Количество попыток (submit): 2 513\n    к вт 30.05: +313" in plain(written.text)


def test_shares_change_by_points_and_times_and_changes_have_no_change(db, day):
    given = {
        "success_share": ("Доля успешных", "percent", Decimal("57.9"), None, Decimal("54.7")),
        "first_attempt": ("Первая попытка", "clock", Decimal(190), None, Decimal(200)),
        "busiest_hour": ("Час", "hour", None, "10:00–11:00, 14:00–15:00", Decimal(9)),
        "to_day_before": ("Изменение", "change", Decimal("3.2"), None, Decimal(100)),
        "active_users_7": ("Активных", "count", None, "нет данных за 5 из 7 дней", Decimal(9)),
    }
    query = (
        "INSERT INTO daily_metrics (report_date, place, metric, label, unit, value, text)"
        " VALUES (%s, 9, %s, %s, %s, %s, %s)"
    )
    for name, (label, unit, value, text, before) in given.items():
        db.execute(query, [DAY, name, label, unit, value, text])
        db.execute(query, [DAY - dt.timedelta(days=1), name, label, unit, before, None])
    written = letter.success(read_day(db, DAY), [], SHEET)
    body = plain(written.text)
    assert "Доля успешных: 57,9 %\n    к вт 30.05: +3,2 п.п.\n    к ср 24.05: —\n" in body
    lines = body.splitlines()
    for shown in ("Первая попытка: 03:10", "Час: 10:00–11:00, 14:00–15:00", "Изменение: 3,2 %"):
        assert not lines[lines.index(shown) + 1].startswith(" ")
    unknown = lines.index("Активных: нет данных за 5 из 7 дней")
    assert lines[unknown + 1 : unknown + 3] == ["    к вт 30.05: —", "    к ср 24.05: —"]
    html = plain(written.html)
    assert '<td class="value">03:10</td>' in html
    assert html.count("п.п.") == 1
    assert re.search(r"<td>Первая попытка\s*</td>", html)


def test_numbers_of_days_that_are_not_there_are_a_dash(day):
    text = plain(letter.success(day, [], SHEET).text)
    assert (
        "Количество уникальных юзеров: 292\n    к вт 30.05: −8 (−2,7 %)\n    к ср 24.05: —" in text
    )
    assert "к ср 24.05: +879\n" in text


def test_a_repeated_row_is_no_reason_for_rejection_but_a_rejected_one_keeps_all_of_its_own(db, day):
    for position, reasons in {7: ["duplicate_key"], 8: ["empty_field", "bad_timestamp"]}.items():
        db.execute("INSERT INTO grader_rejected VALUES (%s, %s, %s, '')", [DAY, position, reasons])
    text = plain(letter.success(read_day(db, DAY), [], SHEET).text)
    assert "повторы 32, отклонено 210" in text
    reasons = "неверное время — 2, поле пустое (null) — 2, пустая строка — 1."
    assert f"Причины отклонения: {reasons}" in text


def test_a_metric_added_by_an_analyst_appears_after_the_main_ones(day):
    written = letter.success(day, [], SHEET)
    assert plain(written.text).index("Доля <успешных>, %: 34,98") > written.text.index("юзеров")
    assert "Доля &lt;успешных&gt;, %" in written.html


def test_a_day_with_nothing_stored_still_makes_a_mail(db):
    written = letter.success(read_day(db, DAY), [], letter.Links("book.xlsx"))
    assert written.chart is None
    assert "book.xlsx" in written.text
    assert "<img" not in written.html


def test_the_message_is_complete_and_the_same_mail_keeps_its_id(day):
    def sent(identity: str):
        content = to_bytes(
            letter.success(day, [], SHEET), sender=Mailbox("", "g@x.example"),
            to=[Mailbox("", "a@x.example"), Mailbox("", "b@x.example")], identity=identity,
        )  # fmt: skip
        content.decode("ascii")
        return email.message_from_bytes(content, policy=email.policy.default)

    message = sent("success:2023-05-31:run")
    assert message["Subject"] == "Выгрузка grades завершена — отчёт за 31.05.2023"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "ru"
    assert message["To"] == "a@x.example, b@x.example"
    assert message["Message-ID"] == sent("success:2023-05-31:run")["Message-ID"]
    assert message["Message-ID"] != sent("success:2023-06-01:run")["Message-ID"]
    html = message.get_body(("html",)).get_content()
    assert '<html lang="ru">' in html
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert 'alt="График за последние 30 дней: Количество попыток (submit) — от ' in html
    assert picture.get_content().startswith(b"\x89PNG")
    assert message.get_body(("plain",)).get_content().startswith("Коллеги, добрый день!")


def test_the_digest_lists_days_done_failed_and_not_run(db, day):
    days = [DAY - dt.timedelta(days=1), DAY]
    failed = [
        letter.FailedDays([dt.date(2023, 5, 28), dt.date(2023, 5, 27)], "raw_attempts: API down")
    ]
    missing = [dt.date(2023, 5, 29)]
    outcome = letter.Outcome(reported=days, failed=failed, not_run=missing)
    written = letter.digest(read_main_numbers(db, days), outcome, {}, [], SHEET)
    assert (
        plain(written.subject)
        == "Выгрузка grades завершена не полностью — отчёты за 27.05.2023–31.05.2023 (5 дней)"
    )
    for body in (plain(written.text), plain(written.html)):
        assert "30.05.2023–31.05.2023" in body
        assert "27.05.2023–28.05.2023" in body
        assert "raw_attempts: API down" in body
        assert "29.05.2023" in body
        assert "2 200" in body


def test_a_digest_of_nothing_done_does_not_claim_success():
    failed = [letter.FailedDays([DAY], "raw_attempts: API down")]
    written = letter.digest({}, letter.Outcome(failed=failed), {}, [], SHEET)
    assert written.subject == "Выгрузка grades не удалась — отчёт за 31.05.2023"
    assert "обновлены" not in written.text + written.html


def test_failure_and_recovery_name_the_day_and_lead_to_the_run():
    links = letter.Links("book.xlsx", None, "https://dagster.example/runs/1")
    failed = letter.failure([DAY], "raw_attempts", "HTTP 401: <key> refused", links)
    assert failed.subject == "Выгрузка grades не удалась — отчёт за 31.05.2023"
    assert "HTTP 401: <key> refused" in failed.text
    assert "HTTP 401: &lt;key&gt; refused" in failed.html
    well = letter.recovered([DAY], links)
    assert well.subject == "Выгрузка grades снова в порядке — отчёт за 31.05.2023"
    for body in (failed.text, failed.html, well.text, well.html):
        assert "https://dagster.example/runs/1" in body


def test_all_words_that_readers_see_are_in_the_templates():
    """Another language is another folder of templates."""
    folder = Path(letter.__file__).parent
    assert re.search("[а-яё]", (folder / "templates" / "success.txt.jinja").read_text())
    for module in folder.glob("*.py"):
        assert not re.search("[а-яё]", module.read_text(), re.IGNORECASE), module


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1234.5"), "1 234,5"), (0, "0"), (-1234567, "−1 234 567"), (None, "—"),
        (Decimal("0.005"), "0,01"), (Decimal("100"), "100"), (Decimal("NaN"), "—"),
        (Decimal("1E+3"), "1 000"),
    ],
)  # fmt: skip
def test_numbers_are_written_the_russian_way(value, written):
    assert plain(russian.number(value)) == written


@pytest.mark.parametrize(
    ("count", "written"),
    [(1, "1 день"), (3, "3 дня"), (5, "5 дней"), (11, "11 дней"), (14, "14 дней"), (21, "21 день"),
     (111, "111 дней"), (1002, "1 002 дня"), (0, "0 дней")],
)  # fmt: skip
def test_nouns_follow_their_numbers(count, written):
    assert plain(russian.counted(count, "день", "дня", "дней")) == written


@pytest.mark.parametrize(
    "name",
    ["Anna", "Ivanova, Anna; B.", 'The "A" \\ B', "Анна", "Иванова, Анна", "Кафедра анализа " * 9],
)
def test_readers_see_the_names_of_sender_and_recipients(name):
    named, other = Mailbox(name.strip(), "a@x.example"), Mailbox("", "b@x.example")
    written = letter.Letter("Тема", "Текст", "<p>Текст</p>")
    content = to_bytes(written, sender=named, to=[named, other, named], identity="key")
    assert max(map(len, content.split(b"\r\n"))) < 100
    # email.policy.default keeps the blanks between encoded words. RFC 2047 drops them.
    message = email.message_from_bytes(content)
    for header, expected in {"From": [named], "To": [named, other, named]}.items():
        pairs = getaddresses([message[header]])
        assert [(str(make_header(decode_header(n))), a) for n, a in pairs] == expected
