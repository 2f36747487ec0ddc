"""When a run that Celery has counts as lost: only after answers that all lack it."""

import pytest

from grader_pipeline.runs.celery_launcher import (
    PATIENCE_SECONDS,
    RECONNECT_SECONDS,
    LostRuns,
)

POLL = 10


class Hosts:
    """Runs that are somewhere, a clock, and a broker that may be away."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.found = {"run"}
        self.is_away = False
        self.asked = 0
        self.lost = LostRuns(self.ask, lambda: self.now)

    def ask(self) -> set[str]:
        self.asked += 1
        if self.is_away:
            raise ConnectionError
        return set(self.found)

    def polls(self, seconds: float) -> list[bool]:
        """Whether the run is lost, at each poll of the monitoring in these seconds."""
        found = []
        for _ in range(int(seconds / POLL)):
            self.now += POLL
            found.append(self.lost.is_lost("run"))
        return found


def test_a_run_is_lost_after_answers_that_lack_it_for_the_whole_patience() -> None:
    hosts = Hosts()
    assert hosts.polls(100) == [False] * 10
    hosts.found.clear()
    assert hosts.polls(PATIENCE_SECONDS + POLL) == [False, False, True]


def test_an_answer_that_comes_late_once_does_not_lose_a_run() -> None:
    hosts = Hosts()
    for _ in range(5):
        hosts.found.clear()
        assert hosts.polls(PATIENCE_SECONDS) == [False, False]
        hosts.found.add("run")
        assert hosts.polls(POLL) == [False]


def test_a_run_is_lost_though_the_daemon_has_never_seen_it() -> None:
    hosts = Hosts()
    hosts.found.clear()
    assert hosts.polls(PATIENCE_SECONDS + POLL) == [False, False, True]


def test_no_run_is_lost_while_workers_connect_again_to_a_broker_that_was_away() -> None:
    hosts = Hosts()
    hosts.found.clear()
    assert hosts.polls(PATIENCE_SECONDS) == [False, False]
    hosts.is_away = True
    with pytest.raises(ConnectionError):
        hosts.polls(POLL)
    hosts.is_away = False
    assert not any(hosts.polls(RECONNECT_SECONDS + PATIENCE_SECONDS - POLL))
    assert hosts.polls(2 * POLL)[-1]


def test_the_workers_are_asked_once_for_all_runs_of_a_poll() -> None:
    hosts = Hosts()
    for run in "abc":
        hosts.lost.is_lost(run)
    assert hosts.asked == 1
