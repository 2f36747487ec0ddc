"""Work in a thread is done in order and in bounded memory, and its errors are raised."""

import threading
import time
from collections.abc import Generator

import pytest

from grader_pipeline.in_thread import in_thread, read_ahead


def test_pieces_are_worked_on_in_order_by_one_other_thread_until_the_block_ends():
    done: list[tuple[int, int]] = []
    with in_thread(lambda piece: done.append((piece, threading.get_ident()))) as give:
        for piece in range(100):
            give(piece)
    assert [piece for piece, _ in done] == list(range(100))
    (thread,) = {thread for _, thread in done}
    assert thread != threading.get_ident()


def test_no_more_pieces_wait_than_allowed():
    go_on, given = threading.Event(), []

    def give_all() -> None:
        with in_thread(lambda _: go_on.wait(), waiting=3) as give:
            for piece in range(10):
                give(piece)
                given.append(piece)

    giver = threading.Thread(target=give_all)
    giver.start()
    time.sleep(0.2)
    assert given == [0, 1, 2]
    go_on.set()
    giver.join(5)
    assert given == list(range(10))


@pytest.mark.parametrize("pieces", [1, 50])
def test_what_the_work_raises_is_raised_and_nothing_further_is_done(pieces):
    done: list[int] = []

    def work(piece: int) -> None:
        if done:
            raise ZeroDivisionError
        done.append(piece)

    with pytest.raises(ZeroDivisionError), in_thread(work, waiting=2) as give:
        for piece in range(pieces + 1):
            give(piece)
    assert done == [0]


def test_a_block_that_fails_does_not_wait_for_pieces_that_have_not_begun():
    with pytest.raises(KeyError), in_thread(lambda _: time.sleep(0.1)) as give:
        for piece in range(8):
            give(piece)
        started = time.monotonic()
        raise KeyError
    assert time.monotonic() - started < 0.5


def test_pieces_are_made_in_order_by_one_other_thread_no_more_ahead_than_allowed():
    made: list[int] = []
    threads: set[int] = set()

    def making() -> Generator[int, None, None]:
        for piece in range(100):
            threads.add(threading.get_ident())
            made.append(piece)
            yield piece

    with read_ahead(making(), waiting=3) as ahead:
        for piece, taken in enumerate(ahead):
            assert taken == piece
            assert len(made) <= piece + 1 + 3
    assert piece == 99
    assert len(threads | {threading.get_ident()}) == 2


def test_what_making_a_piece_raises_is_raised_after_the_pieces_before_it():
    def making() -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    taken = []
    with pytest.raises(ZeroDivisionError), read_ahead(making()) as ahead:
        taken += [next(ahead)]
        next(ahead)
    assert taken == [1]


def test_a_block_that_ends_early_makes_no_further_pieces_and_closes_what_makes_them():
    made, closed, before = [], threading.Event(), threading.active_count()

    def making() -> Generator[int, None, None]:
        try:
            while True:
                made.append(1)
                yield 1
        finally:
            closed.set()

    with pytest.raises(KeyError), read_ahead(making(), waiting=2) as ahead:
        next(ahead)
        raise KeyError
    assert closed.is_set()
    assert len(made) <= 3
    assert threading.active_count() == before
