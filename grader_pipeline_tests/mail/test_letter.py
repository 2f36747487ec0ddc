"""What the mails say, from real rows in PostgreSQL."""

import datetime as dt
import email
import email.policy
import re
from dataclasses import replace
from decimal import Decimal
from email.header import decode_header, make_header
from email.utils import getaddresses
from functools import partial
from pathlib import Path

import pytest

from grader_pipeline import checks, mail
from grader_pipeline.mail import attention, daily, failure
from grader_pipeline.mail.addressing import links_to
from grader_pipeline.mail.check_warnings import CheckWarning
from grader_pipeline.mail.digest import FailedDays, Outcome, digest
from grader_pipeline.mail.letter import Letter, write
from grader_pipeline.mail.message import Link, Links
from grader_pipeline.mail.mime import to_bytes
from grader_pipeline.mail.run_outcome import FailureCause
from grader_pipeline.mail.words import checks as check_words
from grader_pipeline.mail.words import failures as failure_words
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports import russian
from grader_pipeline.reports.day_metrics import MetricChange, read_day, read_main_numbers
from grader_pipeline_tests.mail.kinds import CAUSE, messages
from grader_pipeline_tests.mail.mail_days import DAY, LABELS, insert_metrics

SHEET = Links("Агрегированные данные за день", "https://docs.google.com/spreadsheets/d/1")
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


def forms(message):
    """The letter's HTML and text, with plain spaces."""
    letter = write(message)
    return plain(letter.text), plain(letter.html)


def test_the_mail_has_the_days_numbers_and_their_change_in_both_forms(day):
    message = daily.ready(day, [], [], SHEET)
    assert message.subject == "Выгрузка grades завершена — отчёт за 31.05.2023"
    for body in forms(message):
        assert "Коллеги, добрый день!" in body
        assert "Данные студентов за 31.05.2023 обновлены в базе данных." in body
        assert "2 513" in body
        assert "▼ −20 (−0,8 %) к ср 24.05" in body, "the weekday of the week before"
        assert "▲ +879 к ср 24.05" in body
        assert "▼ −8 (−2,7 %) к вт 30.05" in body, "the week before is not known"
        assert SHEET.sheet_url in body
        assert "отклонено 210 (3,1 %)" in body
        assert LEARNER not in body


def test_a_mail_is_read_in_the_order_of_what_matters(day):
    message = replace(
        daily.ready(day, ["Сломаны тесты"], [], SHEET), technical=("raw_attempts: 503",)
    )
    order = [
        plain(message.sentence), SHEET.sheet_url, "2 513", "График за последние 30 дней",
        "Сломаны тесты", "Доля ", "Получено 6 700", "raw_attempts: 503",
    ]  # fmt: skip
    for body in forms(message):
        shown = body.partition(message.greeting)[2]
        places = [shown.index(text) for text in order]
        assert places == sorted(places)
    assert "1 замечание" in plain(message.sentence)
    assert "1 замечание" in plain(message.preheader)


def test_shares_change_by_points_and_no_line_is_about_a_change_or_repeats_another(db, day):
    given = {
        "success_share": ("Доля успешных", "percent", Decimal("57.9"), None, Decimal("54.7")),
        "first_attempt": ("Первая попытка", "clock", Decimal(190), None, Decimal(200)),
        "busiest_hour": ("Час", "hour", None, "10:00–11:00, 14:00–15:00", Decimal(9)),
        "to_day_before": ("Изменение", "change", Decimal("3.2"), None, Decimal(100)),
        "active_users_7": ("Активных", "count", None, "нет данных за 5 из 7 дней", Decimal(9)),
        "runs_per_user": ("Запусков, в среднем", "number", Decimal(5), None, Decimal(4)),
        "median_runs_per_user": ("Запусков, медиана", "number", Decimal(3), None, Decimal(4)),
    }
    query = (
        "INSERT INTO daily_metrics (report_date, place, metric, label, unit, value, text)"
        " VALUES (%s, 9, %s, %s, %s, %s, %s)"
    )
    for name, (label, unit, value, text, before) in given.items():
        db.execute(query, [DAY, name, label, unit, value, text])
        db.execute(query, [DAY - dt.timedelta(days=1), name, label, unit, before, None])
    text, html = forms(daily.ready(read_day(db, DAY), [], [], SHEET))
    assert "Доля успешных: 57,9 %\n    ▲ +3,2 п.п. к вт 30.05\n" in text
    for line in (
        "Первая попытка: 03:10", "Час: 10:00–11:00, 14:00–15:00", "Запусков, медиана: 3",
        "Активных: нет данных за 5 из 7 дней",
    ):  # fmt: skip
        after = text.splitlines()[text.splitlines().index(line) + 1]
        assert not after.startswith(" "), "only large figures have a change"
    for body in (text, html):
        assert "Изменение" not in body, "a per cent of a per cent"
        assert "в среднем" not in body, "the median says it"
        assert body.count("п.п.") == 1


def test_a_figure_that_is_as_before_says_so(db, day):
    db.execute("UPDATE daily_metrics SET value = 2513 WHERE metric = 'submits'")
    text, _ = forms(daily.ready(read_day(db, DAY), [], [], SHEET))
    assert "Количество попыток (submit): 2 513\n    = как ср 24.05" in text


def test_reasons_of_rejection_are_in_the_mail_if_a_check_warns_of_them(db, day):
    for position, reasons in {7: ["duplicate_key"], 8: ["empty_field", "bad_timestamp"]}.items():
        db.execute("INSERT INTO grader_rejected VALUES (%s, %s, %s, '')", [DAY, position, reasons])
    report = read_day(db, DAY)
    text, _ = forms(daily.ready(report, [], [], SHEET))
    assert "повторы 32, отклонено 210" in text
    assert "неверное время" not in text
    shown = attention.Shown(db, DAY)
    few = CheckWarning("few_rejected", {"share": 0.071})
    (warning,) = attention.of_day(shown, [few], report.accounting)
    assert plain(warning) == (
        "Отклонено 7,1 % строк ответа API, обычно их меньше 5 %. В отчёт они не вошли. "
        "Причины: неверное время — 2, поле пустое (null) — 2, пустая строка — 1."
    )


def test_a_metric_added_by_an_analyst_appears_after_the_main_ones(day):
    text, html = forms(daily.ready(day, [], [], SHEET))
    assert text.index("Доля <успешных>, %: 34,98") > text.index("юзеров")
    assert "Доля &lt;успешных&gt;, %" in html


def test_metrics_beyond_one_more_screen_are_counted(db, day):
    for place in range(20):
        insert_metrics(db, DAY, {f"more_{place}": (f"Метрика {place}", 7)})
    message = daily.ready(read_day(db, DAY), [], [], SHEET)
    (part,) = message.parts
    assert len(part.table.rows) + 9 == 21
    assert plain(part.lines[0]) == "Ещё 9 показателей — в отчёте."


def test_the_changes_of_one_day_are_all_said_and_of_several_the_first_of_each(day):
    one = [MetricChange(f"Метрика {n}", None, 1, None, 2, None) for n in range(20)]
    one.append(MetricChange("Изменение", "change", 1, None, 2, None))
    text, html = forms(daily.changed({DAY: one}, [], SHEET))
    for body in (text, html):
        assert body.count("Метрика") == 20
        assert "Изменение" not in body, "it changed because another day did"
    days = {DAY - dt.timedelta(days=back): one for back in range(9)}
    text, _ = forms(daily.changed(days, [], SHEET))
    assert text.count("Метрика") == 7 * 8
    assert text.count("(ещё 12 показателей — в отчёте)\n") == 7
    assert text.count("Какие показатели изменились\n") == 1, "one table"
    assert "Изменились и показатели ещё 2 дней — они в отчёте." in text


def test_a_day_with_nothing_stored_still_makes_a_mail(db):
    message = daily.ready(read_day(db, DAY), [], [], Links("book.xlsx"))
    assert message.picture is None
    text, html = forms(message)
    assert "book.xlsx" in text
    assert "<img" not in html
    assert "<a " not in html


def test_a_workbook_is_named_by_its_path_and_a_sheet_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_HOME", "here")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "here" / "Агрегированные данные за день.xlsx"
    assert links_to("runs/1").sheet == Link(str(path))
    url = "https://docs.google.com/spreadsheets/d/1"
    assert links_to("runs/1", url).sheet == Link("Агрегированные данные за день", url)


def test_the_message_is_complete_and_the_same_mail_keeps_its_id(day):
    def sent(identity: str):
        content = to_bytes(
            write(daily.ready(day, [], [], SHEET)), sender=Mailbox("", "g@x.example"),
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
    html = plain(message.get_body(("html",)).get_content())
    assert '<html lang="ru">' in html
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert 'alt="График за последние 30 дней: Количество попыток (submit) — от ' in html
    assert picture.get_content().startswith(b"\x89PNG")
    assert message.get_body(("plain",)).get_content().startswith("Коллеги, добрый день!")


def test_the_digest_lists_days_done_failed_and_not_run(db, day):
    days = [DAY - dt.timedelta(days=1), DAY]
    failed = [FailedDays([dt.date(2023, 5, 28), dt.date(2023, 5, 27)], CAUSE)]
    outcome = Outcome(reported=days, failed=failed, not_run=[dt.date(2023, 5, 29)])
    said = partial(digest, read_main_numbers(db, days), outcome, {}, [], SHEET)
    assert (
        plain(said().subject)
        == "Выгрузка grades завершена не полностью — отчёты за 27.05.2023–31.05.2023 (5 дней)"
    )
    for body in forms(said()):
        assert "30.05.2023–31.05.2023" in body
        assert "Не удалось: 27.05.2023–28.05.2023. Получить данные за день не удалось" in body
        assert "Не выполнялось: 29.05.2023." in body
        assert "2 200" in body
        assert CAUSE.text not in body, "colleagues read no English"
        assert "Кто что может сделать" not in body
    for body in forms(said(to_owners=True)):
        assert CAUSE.text in body


def test_the_digest_of_owners_says_who_can_do_what_and_does_not_greet_colleagues():
    late = replace(CAUSE, step="sheet_report", fingerprint="other")
    outcome = Outcome(failed=[FailedDays([DAY], CAUSE), FailedDays([dt.date(2023, 5, 30)], late)])
    for body in forms(digest({}, outcome, {}, [], SHEET, to_owners=True)):
        todo = body.partition("Кто что может сделать")[2]
        assert todo.count("Администратор грейдера: проверить, отвечает ли API") == 1
        assert todo.count("Владелец выгрузки: когда причины больше нет") == 1, "said once"
        assert todo.count("Коллеги: ничего.") == 1
        assert "Коллеги, добрый день!" not in body


@pytest.mark.parametrize(("days", "each"), [(1, 12), (3, 4), (9, 3)])
def test_a_digest_has_the_loaded_days_first_and_then_a_screen_of_changes(db, day, days, each):
    metrics = [MetricChange(f"Метрика {n}", None, 1, None, 2, None) for n in range(20)]
    changes = {DAY - dt.timedelta(days=back): metrics for back in range(days)}
    loaded = [DAY - dt.timedelta(days=1), DAY]
    message = digest(read_main_numbers(db, loaded), Outcome(reported=loaded), changes, [], SHEET)
    for body in forms(message):
        assert body.index("2 200") < body.index("Метрика 0")
        assert body.count("Метрика") == each * min(days, 4)
        assert f"щё {20 - each} показателей — в отчёте" in body
        assert ("Изменились и показатели ещё 5 дней — они в отчёте." in body) == (days == 9)


def test_a_digest_of_nothing_done_does_not_claim_success():
    message = digest({}, Outcome(failed=[FailedDays([DAY], CAUSE)]), {}, [], SHEET)
    assert message.subject == "Выгрузка grades не удалась — отчёт за 31.05.2023"
    for body in forms(message):
        assert "обновлены" not in body
        assert SHEET.sheet_url not in body


def test_failure_and_recovery_name_the_day_and_lead_to_the_run():
    links = Links("book.xlsx", None, "https://dagster.example/runs/1")
    cause = replace(CAUSE, text="HTTP 401: <key> refused")
    failed, well = failure.failed([DAY], cause, links), failure.recovered([DAY], links)
    assert failed.subject == "Выгрузка grades не удалась — отчёт за 31.05.2023"
    assert well.subject == "Выгрузка grades снова в порядке — отчёт за 31.05.2023"
    text, html = forms(failed)
    assert "HTTP 401: <key> refused" in text
    assert "HTTP 401: &lt;key&gt; refused" in html
    for body in (text, html, *forms(well)):
        assert "https://dagster.example/runs/1" in body


def test_what_a_failure_means_follows_from_the_step_and_from_what_readers_have():
    def means(step, *checks, was_reported=False):
        cause = FailureCause(step, "odd", "x", checks)
        message = failure.failed([DAY], cause, SHEET, was_reported=was_reported)
        return " ".join(part.lines[0] for part in message.parts)

    assert "Ничего не загружено. Отчёта за этот день пока нет" in means("raw_attempts")
    assert "остаются прежние числа" in means("raw_attempts", was_reported=True)
    assert "Попытки уже в базе" in means("sheet_report")
    assert "кроме этих отчётов" in means("sheet_report", "every_report_ran")
    assert "намного меньше, чем обычно" in means("validated_attempts", "day_volume")
    assert "Запуск прервался" in means("run")


def test_every_check_has_words_of_its_own():
    specs = {spec.name: spec.blocking for spec in checks.specs()}
    assert {name for name, blocking in specs.items() if blocking} == failure_words.known_checks()
    assert {name for name, blocking in specs.items() if not blocking} == check_words.known()


def test_what_readers_see_is_russian_but_for_known_words_and_the_technical_text(db, day):
    known = {"grades", "submit", "run", "run_only", "API", "LMS", "outcome", "URL", "Dagster",
             "accept_day", "true", "null"}  # fmt: skip
    found = set()
    for _, message in messages(db, DAY):
        shown = replace(message, technical=(), run_url=None, link=None)
        text = re.sub(r"course-v1:\S+|https?://\S+", "", write(shown).text)
        found |= set(re.findall(r"[A-Za-z_]{2,}", text))
    assert found - known == set()


def test_all_words_that_readers_see_are_in_one_folder():
    """Another language is another folder of words."""
    folder = Path(mail.__file__).parent
    words = folder / "words"
    assert re.search("[а-яё]", (words / "general.py").read_text())
    for file in [*folder.glob("*.py"), *folder.glob("templates/*")]:
        assert not re.search("[а-яё]", file.read_text(), re.IGNORECASE), file


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
    written = Letter("Тема", "Текст", "<p>Текст</p>")
    content = to_bytes(written, sender=named, to=[named, other, named], identity="key")
    assert max(map(len, content.split(b"\r\n"))) < 100
    # email.policy.default keeps the blanks between encoded words. RFC 2047 drops them.
    message = email.message_from_bytes(content)
    for header, expected in {"From": [named], "To": [named, other, named]}.items():
        pairs = getaddresses([message[header]])
        assert [(str(make_header(decode_header(n))), a) for n, a in pairs] == expected
