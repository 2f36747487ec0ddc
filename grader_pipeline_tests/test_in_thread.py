"""Work in a thread is done in order and in bounded memory, and its errors are raised."""

import threading
import time
from collections.abc import Iterator

import pytest

from grader_pipeline.in_thread import ahead, in_thread


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


def test_pieces_made_ahead_come_in_order_from_one_other_thread():
    threads = set()

    def pieces() -> Iterator[int]:
        for piece in range(100):
            threads.add(threading.get_ident())
            yield piece

    with ahead(pieces()) as made:
        assert list(made) == list(range(100))
    assert len(threads - {threading.get_ident()}) == len(threads) == 1


def test_no_more_pieces_are_made_ahead_than_allowed():
    made = []

    def pieces() -> Iterator[int]:
        for piece in range(10):
            made.append(piece)
            yield piece

    with ahead(pieces(), waiting=3) as given:
        next(given)
        time.sleep(0.1)
        assert made == [0, 1, 2, 3]


def test_what_making_a_piece_raises_is_raised_after_the_pieces_before_it():
    def pieces() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    taken = []
    with pytest.raises(ZeroDivisionError), ahead(pieces()) as made:
        for piece in made:
            taken.append(piece)
    assert taken == [1]


def test_a_block_that_is_interrupted_ends_the_thread_that_makes_pieces():
    before = threading.active_count()
    made = []

    def pieces() -> Iterator[int]:
        for piece in range(1000):
            time.sleep(0.01)
            made.append(piece)
            yield piece

    with pytest.raises(KeyboardInterrupt), ahead(pieces()) as given:
        next(given)
        raise KeyboardInterrupt
    assert threading.active_count() == before
    assert len(made) <= 4
