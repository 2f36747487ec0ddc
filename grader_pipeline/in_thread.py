"""Work beside the main thread, for what leaves Python's lock: hashing, packing, reading, writing.

A thread that has left the lock waits up to 5 ms for it. So pieces are large.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
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


@contextmanager
def read_ahead(
    pieces: Generator[Piece, None, None], *, waiting: int = 2
) -> Iterator[Iterator[Piece]]:
    """The same pieces, none of which is None. A thread makes them, ``waiting`` ahead at most.

    The next piece raises what making it raised. The end of the block closes ``pieces``.
    """
    with ThreadPoolExecutor(1) as thread:

        def taken() -> Iterator[Piece]:
            ahead = deque(thread.submit(next, pieces, None) for _ in range(waiting))
            while (piece := ahead.popleft().result()) is not None:
                ahead.append(thread.submit(next, pieces, None))
                yield piece

        try:
            yield taken()
        finally:
            thread.shutdown(cancel_futures=True)
            pieces.close()
