"""Work beside the main thread, for what leaves Python's lock: hashing, packing, writing."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Piece = TypeVar("Piece")


@contextmanager
def in_thread(
    work: Callable[[Piece], object], *, waiting: int = 8
) -> Iterator[Callable[[Piece], None]]:
    """A function that has each piece worked on in a thread, one after the other, in order.

    It waits while ``waiting`` pieces are not done, so memory is bounded. It, or the end of the
    block, raises what ``work`` raised.
    """
    given: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1) as thread:

        def give(piece: Piece) -> None:
            if len(given) >= waiting:
                given.popleft().result()
            given.append(thread.submit(work, piece))

        try:
            yield give
            while given:
                given.popleft().result()
        finally:
            thread.shutdown(cancel_futures=True)
