"""The settings are those of .env.example, which is the contract, and their secrets stay secret."""

import pickle
import re
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr, ValidationError

from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.settings import Settings
from grader_pipeline_tests.broker import BESIDE
from grader_pipeline_tests.wheel import CHECKOUT

NAMES = [name.upper() for name in Settings.model_fields]
SECRETS = {
    "GRADER_API_CLIENT_KEY": "sesame key",
    "DATABASE_URL": "sesame database",
    "GRADER_BROKER_URL": "redis://:sesame@host",
    "GOOGLE_SHEETS_CREDENTIALS": "sesame credentials",
    "SMTP_PASSWORD": "sesame password",
    "GRADER_HEARTBEAT_URL": "https://watch.example.org/sesame",
    "GRADER_CHANNELS": "json://sesame.example.org",
}
EXAMPLE = re.findall(r"^#?([A-Z_]+)=(.*)$", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
INVENTED = {"GRADER_API_URL", "DATABASE_URL", "GRADER_BROKER_URL"}


def read() -> dict[str, object]:
    """The settings by the names of their variables, GRADER_HOME relative to the current folder."""
    settings = Settings()
    found = {name.upper(): getattr(settings, name) for name in Settings.model_fields}
    return found | {"GRADER_HOME": str(settings.grader_home.relative_to(Path.cwd()))}


@pytest.fixture
def _secrets(monkeypatch):
    for name, text in {**BESIDE, **SECRETS}.items():
        monkeypatch.setenv(name, text)


@pytest.fixture
def defaults(monkeypatch) -> dict[str, object]:
    monkeypatch.delenv("GRADER_HOME")
    return read()


def test_the_example_lists_every_setting_once():
    assert sorted(name for name, _ in EXAMPLE) == sorted(NAMES)


def test_the_example_shows_the_defaults_and_can_be_used_as_it_is(defaults, tmp_path):
    """Copied and uncommented, it sets nothing but the addresses it invents."""
    lines = {name: value for name, value in EXAMPLE if name not in INVENTED}
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in lines.items()))
    assert read() == defaults
    shown = {name for name, value in lines.items() if value}
    assert shown == {name for name, value in defaults.items() if value not in (None, (), {})}


def test_env_file_and_home_are_those_of_the_current_folder_and_the_environment_goes_before(
    monkeypatch, tmp_path
):
    (tmp_path / ".env").write_text('GRADER_TIMEZONE=Europe/Berlin\nMAIL_TO="a@b.org"\nUNKNOWN=1')
    monkeypatch.delenv("GRADER_HOME")
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Omsk")
    assert Settings().timezone.key == "Asia/Omsk"
    assert Settings().mail_to == (Mailbox("", "a@b.org"),)
    assert Settings().grader_home == tmp_path / ".grader"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert Settings().mail_to == ()
    assert Settings().grader_home == elsewhere / ".grader"


def test_an_empty_value_is_an_unset_one(defaults, monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")
    assert read() == defaults


@pytest.mark.usefixtures("_secrets")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRADER_API_TIMEOUT", "0"),
        ("GRADER_API_TIMEOUT", "-1"),
        ("GRADER_API_TIMEOUT", "nan"),
        ("GRADER_API_TIMEOUT", "5 minutes"),
        ("GRADER_API_CONCURRENCY", "0"),
        ("GRADER_API_CONCURRENCY", "1.5"),
        ("GRADER_TIMEZONE", "Mars/Phobos"),
        ("GRADER_TIMEZONE", "Europe"),
        ("GRADER_TIMEZONE", "../etc/passwd"),
        ("GRADER_TIMEZONE", "/etc/localtime"),
        ("GRADER_START_DATE", "2023-02-30"),
        ("GRADER_START_DATE", "01.04.2023"),
        ("GRADER_SCHEDULE_TIME", "25:00"),
        ("GRADER_SCHEDULE_TIME", "at four"),
        ("GRADER_MAX_REJECTED_SHARE", "1.01"),
        ("GRADER_MAX_REJECTED_SHARE", "-0.1"),
        ("GRADER_MAX_REJECTED_SHARE", "50%"),
        ("GRADER_MAX_REJECTED_SHARE", "nan"),
        ("GRADER_MIN_VOLUME_SHARE", "inf"),
        ("GRADER_REQUIRE_OUTCOME_URL", "maybe"),
        ("GRADER_BROKER_URL", "sesame@host:6379"),
        ("GRADER_BROKER_URL", "amqp://:sesame@host"),
        ("GRADER_HEARTBEAT_URL", "sesame"),
        ("GRADER_HEARTBEAT_URL", "ftp://sesame.example.org"),
        ("GRADER_HEARTBEAT_URL", "https://sesame:port/"),
        ("GRADER_CHANNELS", "sesame"),
        ("GRADER_CHANNELS", "sesame://"),
        ("GRADER_CHANNELS", "json://host, sesame"),
        ("MAIL_ATTACH", "sesame"),
        ("GRADER_REPORTS", "sesame"),
        ("GRADER_REPORTS", "/etc/hostname"),
        ("GRADER_OWNERS", "sesame"),
        ("GRADER_OWNERS", "team:"),
        ("GRADER_OWNERS", "team:two words"),
        ("GRADER_OWNERS", "a@b.org;c@d.org"),
        ("MAIL_COURSES", "sesame@b.org"),
        ("MAIL_COURSES", "a@b.org = ; sesame@b.org = c"),
        ("MAIL_COURSES", "sesame = c"),
        ("MAIL_COURSES", "a@b.org, sesame@b.org = c"),
        ("MAIL_TO", "sesame"),
        ("MAIL_TO", "a@b.org; sesame"),
        ("MAIL_TO", "a@b.org sesame@b.org"),
        ("MAIL_TO", "Sesame, Anna <a@b.org>"),
        ("MAIL_TO", '"sesame, a@b.org'),
        ("MAIL_TO", "Sesame <a@b.org> c@d.org"),
        ("MAIL_TO", "Sesame\u200b <a@b.org>"),
        ("MAIL_ON_FAILURE_TO", "sésame@b.org"),
        ("MAIL_ON_FAILURE_TO", "a@sesame..org"),
        ("MAIL_ON_FAILURE_TO", "a@sésame-.org"),
        ("SMTP_FROM", "a@b.org\nSubject: sesame"),
        ("SMTP_FROM", "a@b.org, sesame@b.org"),
        ("SMTP_FROM", "sesame"),
        ("GRADER_TAGS", "sesame"),
        ("GRADER_TAGS", "domain=sesame street"),
        ("GRADER_TAGS", "=sesame"),
        ("GRADER_TAGS", "domain=a,domain=b"),
        ("GRADER_TAGS", f"domain={'a' * 64}"),
        ("GOOGLE_SHEETS_ID", "sesame id"),
        ("GOOGLE_SHEETS_ID", "https://docs.google.com/spreadsheets/d/e/2PACX-sesame/pubhtml"),
        ("GOOGLE_SHEETS_ID", "https://docs.google.com/spreadsheets/sesame"),
        ("SMTP_PORT", "0"),
        ("SMTP_PORT", "65536"),
        # The password, pasted a line too high.
        ("SMTP_PORT", "sesame port"),
        ("SMTP_SECURITY", "sesame tls"),
        ("GRADER_API_URL", "https://sesame.example.org"),
        ("GRADER_KEEP_ANSWERS", "0 days"),
        ("GRADER_KEEP_RUNS", "90"),
    ],
)
def test_a_wrong_value_is_named_and_neither_it_nor_a_secret_is_shown(monkeypatch, name, value):
    if name == "GRADER_API_URL":
        monkeypatch.delenv("GRADER_API_CLIENT_KEY")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert name in str(refused.value).upper()
    assert "sesame" not in str(refused.value) + repr(refused.value)


@pytest.mark.usefixtures("_secrets")
def test_no_secret_is_shown_by_what_shows_settings():
    settings = Settings()
    shown = [
        repr(settings),
        str(settings),
        f"{settings}",
        repr(settings.model_dump()),
        settings.model_dump_json(),
        repr(vars(settings)),
        repr(dict(settings)),
        *(str(getattr(settings, name.lower())) for name in SECRETS),
    ]
    assert "sesame" not in "".join(shown)
    assert b"sesame" in pickle.dumps(settings), "the secrets were there to be shown"


@pytest.mark.usefixtures("_secrets")
def test_every_secret_is_known_to_those_who_keep_them_out():
    settings = Settings()
    assert sorted(settings.secrets()) == sorted(SECRETS.values())
    assert {
        name.upper()
        for name in Settings.model_fields
        if isinstance(getattr(settings, name), SecretStr)
    } == set(SECRETS)


@pytest.mark.parametrize("between", ["\n", ", ", " ; ", "\r\n", " "])
def test_each_address_of_a_channel_is_a_secret_and_its_name_is_none(monkeypatch, between):
    addresses = ["json://user:sesame@host/a,b?c=1;2", "TGram://sesame/-100,7", "json://sesame"]
    written = between.join([*addresses, addresses[0]])
    monkeypatch.setenv("GRADER_CHANNELS", f" {written}{between}")
    found = Settings().channels
    secrets = [channel.secret.get_secret_value() for channel in found]
    assert secrets == addresses == Settings().secrets()
    kinds = [channel.address.rpartition("-")[0] for channel in found]
    assert kinds == ["json", "tgram", "json"]
    assert len({channel.address for channel in found}) == 3
    assert "sesame" not in repr(found)


def test_without_secrets_there_is_none_to_keep_out():
    assert Settings().secrets() == []


@pytest.mark.parametrize("name", ["send_email_for_python_project", "SEND_EMAIL_FOR_PYTHON_PROJECT"])
def test_the_mail_password_is_also_read_under_its_first_name(monkeypatch, name):
    monkeypatch.setenv(name, "sesame")
    password = Settings().smtp_password
    assert password is not None
    assert password.get_secret_value() == "sesame"
    monkeypatch.setenv("SMTP_PASSWORD", "the newer")
    assert Settings().secrets() == ["the newer"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.org", [("", "a@b.org")]),
        ("a@b.org, c@d.org,\te@f.org ,", [("", "a@b.org"), ("", "c@d.org"), ("", "e@f.org")]),
        ("a@b.org;c@d.org\r\ne@f.org\n", [("", "a@b.org"), ("", "c@d.org"), ("", "e@f.org")]),
        (" ,;\n ", []),
        ('Курс <a@b.org>,"x" <c@d.org>', [("Курс", "a@b.org"), ("x", "c@d.org")]),
        ('"Иванова, \\"А\\"; Б" <a@b.org>', [('Иванова, "А"; Б', "a@b.org")]),
        ("Anna\N{NO-BREAK SPACE}B  < a@B.org >", [("Anna B", "a@b.org")]),
        ("Анна <a@Школа.РФ>", [("Анна", "a@xn--80atdl2c.xn--p1ai")]),
        ("a@b.org; Anna <a@b.org>", [("", "a@b.org")]),
        ("a.b+c@localhost", [("", "a.b+c@localhost")]),
    ],
)
def test_mailboxes_are_read_in_every_way_that_people_write_them(monkeypatch, value, expected):
    monkeypatch.setenv("MAIL_TO", value)
    monkeypatch.setenv("MAIL_ON_FAILURE_TO", value)
    assert list(Settings().mail_to) == list(Settings().mail_on_failure_to) == expected
    if len(expected) == 1:
        monkeypatch.setenv("SMTP_FROM", value)
        assert Settings().smtp_from == expected[0]


@pytest.mark.parametrize(
    "given",
    [
        "{id}",
        "  {id}\n",
        "https://docs.google.com/spreadsheets/d/{id}/edit?gid=0#gid=0",
        " https://docs.google.com/spreadsheets/u/1/d/{id} ",
        "https://docs.google.com/a/school.example/spreadsheets/d/{id}/edit",
        "https://drive.google.com/open?usp=drive_link&id={id}",
        "docs.google.com/spreadsheets/d/{id}/edit",
    ],
)
def test_the_id_of_the_spreadsheet_is_also_taken_out_of_its_address(monkeypatch, given):
    ident = "1AbC-spreadsheet_id"
    monkeypatch.setenv("GOOGLE_SHEETS_ID", given.format(id=ident))
    assert Settings().google_sheets_id == ident
    monkeypatch.setenv("GOOGLE_SHEETS_ID", "  ")
    assert Settings().google_sheets_id is None


def test_the_home_is_absolute_and_everything_lies_under_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADER_HOME", "somewhere")
    settings = Settings()
    home = tmp_path / "somewhere"
    assert settings.grader_home == home
    assert settings.storage == str(home / "storage")
    places = [settings.logs_dir, settings.outbox_dir, settings.workbook, settings.dagster_home]
    assert all(place.parent == home for place in places)
    monkeypatch.setenv("GOOGLE_SHEETS_NAME", "Отчёт 05/06")
    assert Settings().workbook == home / "Отчёт 05-06.xlsx"
    monkeypatch.setenv("GRADER_STORAGE", "s3://bucket/grader")
    assert Settings().storage == "s3://bucket/grader"


def test_the_folder_of_further_reports_is_absolute(monkeypatch, tmp_path):
    (tmp_path / "ours").mkdir()
    monkeypatch.setenv("GRADER_REPORTS", "ours")
    assert Settings().grader_reports == tmp_path / "ours"


def test_owners_and_tags_are_those_that_dagster_takes(monkeypatch):
    monkeypatch.setenv("GRADER_OWNERS", "team:course-analytics, Anna.B+c@school.example ,")
    monkeypatch.setenv("GRADER_TAGS", "domain=courses, school.org/cost_centre=7.1, empty=,")
    owners, tags = Settings().grader_owners, Settings().grader_tags
    assert owners == ("team:course-analytics", "Anna.B+c@school.example")
    assert tags == {"domain": "courses", "school.org/cost_centre": "7.1", "empty": ""}
    spec = dg.AssetSpec("asset", owners=owners, tags=tags)
    assert (tuple(spec.owners), spec.tags) == (owners, tags)


def test_the_sample_api_is_no_real_api(monkeypatch):
    assert not Settings().has_real_api
    monkeypatch.setenv("GRADER_API_URL", "http://127.0.0.1:8000/")
    monkeypatch.setenv("GRADER_API_CLIENT", "sample")
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "sample")
    assert not Settings().has_real_api
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    assert Settings().has_real_api


def test_readers_of_courses_are_read_with_their_courses_and_each_address_once(monkeypatch):
    monkeypatch.setenv(
        "MAIL_COURSES",
        'a@b.org = course-v1:O+A+1, course-v1:O+B+1 ; "Ivanova; = A." <c@d.org>=x\na@b.org = y, x',
    )
    assert Settings().mail_courses == (
        (Mailbox("", "a@b.org"), ("course-v1:O+A+1", "course-v1:O+B+1", "y", "x")),
        (Mailbox("Ivanova; = A.", "c@d.org"), ("x",)),
    )


def test_settings_are_read_once_for_each_state_of_environment_folder_and_file(
    monkeypatch, tmp_path
):
    assert Settings() is Settings()
    assert Settings(grader_timezone="Asia/Tokyo") is not Settings()
    seen = [Settings().grader_timezone]
    for name in ("Asia/Omsk", "Asia/Tomsk", "Asia/Chita"):
        (tmp_path / ".env").write_text(f"GRADER_TIMEZONE={name}")
        seen.append(Settings().grader_timezone)
    (other := tmp_path / "other").mkdir()
    monkeypatch.chdir(other)
    seen.append(Settings().grader_timezone)
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Tokyo")
    seen.append(Settings().grader_timezone)
    assert seen == [seen[0], "Asia/Omsk", "Asia/Tomsk", "Asia/Chita", seen[0], "Asia/Tokyo"]
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Nowhere")
    for _ in range(2):
        with pytest.raises(ValidationError, match="is not a time zone"):
            Settings()
