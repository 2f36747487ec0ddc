"""One session with an SMTP server: who got the mail, and what each error means."""

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.mail import smtp
from grader_pipeline.mail.resource import Mail, sender_of
from grader_pipeline.settings import Settings
from grader_pipeline_tests.mail.mail_server import PASSWORD, USER, MailServer, free_port
from grader_pipeline_tests.small_disk import fill, make_room, names, small_disk

MESSAGE = b"Subject: hello\r\n\r\n.a line that begins with a dot\r\n"
ENCODED_PASSWORD = b64encode(PASSWORD.encode()).decode()
ENCODED_LOGIN = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
ANNA, BORIS = "anna@school.example", "boris@school.example"
Serve = Callable[[MailServer], MailServer]


@pytest.fixture
def login(monkeypatch):
    monkeypatch.setenv("SMTP_USER", USER)
    monkeypatch.setenv("send_email_for_python_project", PASSWORD)


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_mail_goes_encrypted_and_logged_in(serve, mail, certificate, is_trusted, login, security):
    server = serve(MailServer(security, certificate, wants_login=True))
    assert mail.send_mail(MESSAGE, [ANNA, BORIS], "key") == {}
    (received,) = server.received
    assert received.content == MESSAGE
    assert received.recipients == [ANNA, BORIS]
    assert received.login == USER


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_certificate_nobody_trusts_stops_everything(serve, mail, certificate, login, security):
    server = serve(MailServer(security, certificate, wants_login=True))
    with pytest.raises(PermanentFailure, match=r"certificate .* cannot be trusted"):
        mail.send_mail(MESSAGE, [ANNA], "key")
    assert server.attempts == 0


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_certificate_of_another_name_stops_everything(
    serve, mail, authority, is_trusted, certificate, security
):
    authority.issue_cert("mail.elsewhere.example").configure_cert(certificate)
    serve(MailServer(security, certificate))
    with pytest.raises(PermanentFailure, match=r"not valid for '127\.0\.0\.1'"):
        mail.send_mail(MESSAGE, [ANNA], "key")


def test_without_starttls_on_offer_nothing_is_sent_unencrypted(serve, mail, monkeypatch, login):
    server = serve(MailServer("none"))
    monkeypatch.setenv("SMTP_SECURITY", "starttls")
    with pytest.raises(PermanentFailure, match="offers no STARTTLS"):
        mail.send_mail(MESSAGE, [ANNA], "key")
    assert server.attempts == 0


def test_tls_on_a_plain_port_is_named(serve, mail, monkeypatch):
    serve(MailServer("none"))
    monkeypatch.setenv("SMTP_SECURITY", "ssl")
    with pytest.raises(PermanentFailure, match="SMTP_SECURITY=starttls"):
        mail.send_mail(MESSAGE, [ANNA], "key")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (f"535 5.7.8 no, and not with {PASSWORD} either", PermanentFailure),
        (f"535 5.7.8 no: {ENCODED_PASSWORD}", PermanentFailure),
        (f"535 5.7.8 no: AUTH PLAIN {ENCODED_LOGIN}", PermanentFailure),
        ("454 4.7.0 later", TransientFailure),
    ],
)
def test_a_refused_login_is_named_without_the_password(
    serve, mail, certificate, is_trusted, login, answer, failure
):
    server = serve(MailServer("ssl", certificate, wants_login=True))
    server.answers["AUTH"] = answer
    with pytest.raises(failure, match="SMTP_PASSWORD") as caught:
        mail.probe()
    assert PASSWORD not in str(caught.value)
    assert ENCODED_PASSWORD not in str(caught.value)
    assert ENCODED_LOGIN not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_that_a_login_cannot_have_is_not_quoted(
    serve, mail, certificate, is_trusted, login, monkeypatch
):
    serve(MailServer("ssl", certificate, wants_login=True))
    monkeypatch.setenv("SMTP_PASSWORD", "секрет")
    with pytest.raises(PermanentFailure, match="other than ASCII") as caught:
        mail.send_mail(MESSAGE, [ANNA], "key")
    assert "секрет" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "is_final"), [("550 no such user", True), ("450 greylisted", False)]
)
def test_a_refused_recipient_does_not_stop_the_others(serve, mail, answer, is_final):
    server = serve(MailServer(answers={ANNA: answer}))
    assert mail.send_mail(MESSAGE, [ANNA, BORIS], "key") == {ANNA: smtp.Refusal(answer, is_final)}
    assert [received.recipients for received in server.received] == [[BORIS]]


@pytest.mark.parametrize(
    ("answer", "is_final"), [("451 try later", False), ("554 looks like spam", True)]
)
def test_a_mail_refused_after_data_concerns_each_recipient_as_it_was_answered(
    serve, mail, answer, is_final
):
    serve(MailServer(answers={"DATA": answer, ANNA: "550 no such user"}))
    assert mail.send_mail(MESSAGE, [ANNA, BORIS], "key") == {
        ANNA: smtp.Refusal("550 no such user", True),
        BORIS: smtp.Refusal(answer, is_final),
    }


def test_a_connection_lost_after_data_is_worth_another_attempt(serve, mail):
    serve(MailServer(drops_after_data=True))
    refused = mail.send_mail(MESSAGE, [ANNA], "key")
    assert not refused[ANNA].is_final
    assert "before the server confirmed" in refused[ANNA].text


@pytest.mark.parametrize(
    ("answer", "failure"), [("421 closing", TransientFailure), ("553 not yours", PermanentFailure)]
)
def test_a_refused_sender_is_the_servers_answer_to_all(serve, mail, answer, failure):
    serve(MailServer(answers={"MAIL": answer}))
    with pytest.raises(failure, match=answer):
        mail.send_mail(MESSAGE, [ANNA], "key")


def test_a_server_that_is_down_is_transient(serve, mail, monkeypatch):
    serve(MailServer())
    monkeypatch.setenv("SMTP_PORT", str(free_port()))
    with pytest.raises(TransientFailure, match="Connection refused"):
        mail.send_mail(MESSAGE, [ANNA], "key")


@pytest.fixture
def talk(monkeypatch) -> Iterator[Callable[[Callable[[socket.socket], None]], None]]:
    """A server that does with its one connection what the test says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def point_to(conversation: Callable[[socket.socket], None]) -> None:
            def serve_one() -> None:
                connection, _ = listener.accept()
                with connection:
                    conversation(connection)
                    over.wait(10)

            threading.Thread(target=serve_one, daemon=True).start()
            monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
            monkeypatch.setenv("SMTP_PORT", str(listener.getsockname()[1]))
            monkeypatch.setenv("SMTP_SECURITY", "none")
            monkeypatch.setenv("SMTP_FROM", "grader@school.example")

        yield point_to
        over.set()


@pytest.mark.parametrize("security", ["none", "ssl"])
def test_a_server_that_never_answers_is_not_waited_for(talk, mail, monkeypatch, security):
    monkeypatch.setattr(smtp, "ANSWER_SECONDS", 0.3)
    talk(lambda connection: None)
    monkeypatch.setenv("SMTP_SECURITY", security)
    with pytest.raises(TransientFailure, match="does not answer"):
        mail.send_mail(MESSAGE, [ANNA], "key")


def test_a_server_that_sends_slowly_for_ever_is_cut_off(talk, mail, monkeypatch):
    monkeypatch.setattr(smtp, "SESSION_SECONDS", 0.5)

    def send_slowly(connection: socket.socket) -> None:
        with pytest.raises(OSError):
            while True:
                connection.sendall(b"220-wait\r\n")
                threading.Event().wait(0.05)

    talk(send_slowly)
    with pytest.raises(TransientFailure, match="closed the connection"):
        mail.send_mail(MESSAGE, [ANNA], "key")


def test_a_busy_greeting_is_transient(talk, mail):
    talk(lambda connection: connection.sendall(b"421 too busy\r\n"))
    with pytest.raises(TransientFailure, match="421 too busy"):
        mail.probe()


def test_the_probe_asks_everything_and_sends_nothing(serve, mail, certificate, is_trusted, login):
    server = serve(MailServer("starttls", certificate, wants_login=True))
    assert "takes the login of robot@school.example, and mail for anna@" in mail.probe()
    assert server.attempts == 1
    assert server.received == []


def test_the_probe_names_a_refused_recipient(serve, mail):
    serve(MailServer(answers={"owner@school.example": "550 no such user"}))
    with pytest.raises(PermanentFailure, match=r"owner@school\.example: 550 no such user"):
        mail.probe()


def test_without_a_server_the_same_bytes_become_a_file(mail: Mail, settings):
    assert mail.send_mail(MESSAGE, [ANNA], "success:2023-05-31:../run") == {}
    (file,) = (settings / "outbox").iterdir()
    assert file.name == "success-2023-05-31-..-run.eml"
    assert file.read_bytes() == MESSAGE
    assert str(settings / "outbox") in mail.probe()


def test_a_full_disk_leaves_no_half_mail_and_says_how_much_is_needed(mail: Mail, settings):
    long = MESSAGE + b"x" * 100_000
    with small_disk(settings) as disk:
        fill(disk, leave=32 * 1024)
        said = rf"The disk of {settings / 'outbox'} is full: 0\.1 MB are needed there"
        with pytest.raises(PermanentFailure, match=said):
            mail.send_mail(long, [ANNA], "key")
        assert names(disk) == []
        make_room(disk)
        assert mail.send_mail(long, [ANNA], "key") == {}
        assert (disk / "outbox" / "key.eml").read_bytes() == long


@pytest.mark.parametrize(
    "address",
    [
        f"{ANNA};{BORIS}",
        f"{ANNA}\n",
        f"{ANNA}\r\nRCPT TO:<{BORIS}>",
        f"x <{ANNA}>",
        "анна@x.example",
    ],
)
def test_a_text_that_is_no_address_never_reaches_the_server(serve, mail, address):
    server = serve(MailServer())
    refused = mail.send_mail(MESSAGE, [address, BORIS], "key")
    assert list(refused) == [address]
    assert refused[address].is_final
    assert [received.recipients for received in server.received] == [[BORIS]]


def test_without_smtp_from_the_login_is_the_sender_if_it_is_an_address(
    serve, mail, certificate, is_trusted, login, monkeypatch
):
    serve(MailServer("ssl", certificate, wants_login=True))
    monkeypatch.delenv("SMTP_FROM")
    assert sender_of(Settings()).address == USER
    monkeypatch.setenv("SMTP_USER", f"{USER}\nX: y")
    with pytest.raises(PermanentFailure, match="SMTP_FROM is not set"):
        sender_of(Settings())
