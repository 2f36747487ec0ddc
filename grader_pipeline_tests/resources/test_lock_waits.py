"""A run says how long it has waited for others."""

import threading
import time

import pytest

from grader_pipeline.resources.lock_waits import LockWaits
from grader_pipeline.resources.postgres import Postgres


@pytest.mark.parametrize("name", ["grader/2023-05-31", "learners"])
def test_the_time_for_which_another_holds_a_lock_is_counted(database_url: str, name: str) -> None:
    other, own = Postgres.at(database_url), Postgres.at(database_url)
    is_held = threading.Event()

    def hold() -> None:
        with other.transaction(lock=name) if "/" in name else other.holding(name):
            is_held.set()
            time.sleep(0.3)

    thread = threading.Thread(target=hold)
    with own.transaction():
        thread.start()
        assert is_held.wait(30)
    with own.transaction(lock=name) if "/" in name else own.holding(name):
        pass
    thread.join()
    assert own.waits.seconds.keys() == {f"lock {name.partition('/')[0]}"}
    assert sum(own.waits.seconds.values()) > 0.1
    assert sum(other.waits.seconds.values()) < 0.1
    other.close()
    own.close()


def test_the_waits_are_said_in_one_line_with_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = LockWaits()
    waits.seconds |= {"pool grader_api": 2.0, "lock sheet_report": 0.5, "lock grader": 0.001}
    monkeypatch.setattr("grader_pipeline.resources.lock_waits._seconds_of_run", lambda _: 10.0)
    said = waits.in_words(None)  # type: ignore[arg-type]
    assert said == "2.5 s (25% of the run): pool grader_api 2.0 s, lock sheet_report 0.5 s"
