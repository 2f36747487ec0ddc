"""Work beside the main thread, for what leaves Python's lock: hashing, packing, reading."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

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
def ahead(pieces: Iterable[Piece], *, waiting: int = 3) -> Iterator[Iterator[Piece]]:
    """The same pieces, each made in a thread while those before it are used.

    At most ``waiting`` are made and not taken, so memory is bounded. What ``pieces`` raises is
    raised where the piece would be taken.
    """
    source, end = iter(pieces), object()
    with ThreadPoolExecutor(1) as thread:
        made = deque(thread.submit(next, source, end) for _ in range(waiting))

        def taken() -> Iterator[Any]:
            while (piece := made.popleft().result()) is not end:
                made.append(thread.submit(next, source, end))
                yield piece

        try:
            yield taken()
        finally:
            thread.shutdown(cancel_futures=True)
