"""What a run launcher knows of the workers that execute runs, for those who watch."""

from typing import NamedTuple, Protocol, runtime_checkable


class Workers(NamedTuple):
    """The workers at this moment."""

    live: int
    """Workers that answer."""
    slots: int
    """Runs that they execute at once."""
    waiting: int
    """Runs that were handed out and that no worker has begun."""


@runtime_checkable
class KnowsWorkers(Protocol):
    """A run launcher that can be asked. ``/metrics`` shows what it says."""

    def workers(self) -> Workers | None:
        """Ask for the workers, within seconds. None if it cannot be known from here."""
