"""A day's clean attempts as columns: what `draw` fills and `wire` writes."""

from dataclasses import dataclass

from grader_pipeline.sample_api.school import Flags, Ints

VERDICTS = ("null", "0", "1", "null", "false", "true")
NULL, WRONG, RIGHT = 0, 1, 2
BOOLEAN = 3  # added to a verdict, the same verdict as a boolean

# The first is nearly everybody's. The others are as legitimate, and not to be read as JSON.
CONSUMER_KEYS = ("", None, "l'école", 'группа "Питон"', 'O\'Neil "beta"', "lms\\main", "00123")


@dataclass(frozen=True)
class Attempts:
    """A UTC day's attempts, oldest first, an array element each."""

    ids: list[str]
    """The learners at work, 32 hexadecimal digits each."""
    learner: Ints
    """Position in `ids`."""
    task: Ints
    """Position in `school.task_blocks()`."""
    consumer: Ints
    """Position in CONSUMER_KEYS."""
    submit: Flags
    """Whether this is a submit; otherwise it is a run."""
    verdict: Ints
    """Position in VERDICTS."""
    moment: Ints
    """UTC, microseconds since 1970."""

    def __len__(self) -> int:
        return len(self.moment)
