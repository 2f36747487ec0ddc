"""Work in a thread is done in order and in bounded memory, and its errors are raised."""

import threading
import time

import pytest

from grader_pipeline.in_thread import in_thread


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
