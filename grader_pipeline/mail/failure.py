"""What the owners read: a run failed, and later that its days are there."""

import datetime as dt
from collections.abc import Sequence

from grader_pipeline.mail.message import Links, Message, Part
from grader_pipeline.mail.run_outcome import FailureCause
from grader_pipeline.mail.words import days as day_words
from grader_pipeline.mail.words import failures as words


def failed(
    days: Sequence[dt.date], cause: FailureCause, links: Links, *, was_reported: bool = False
) -> Message:
    """A run failed, and why. ``days`` are those that it was started for, if any.

    ``was_reported``: colleagues have a report of the day from an earlier run.
    """
    known = _words(cause)
    sentence = words.failed(days)
    means = words.means(cause.step, cause.checks, was_reported=was_reported)
    return Message(
        subject=words.subject(days),
        preheader=known.happened,
        greeting="",
        sentence=sentence,
        parts=(
            Part(words.HAPPENED, (known.happened,)),
            Part(words.MEANS, (means,)),
            to_do([cause]),
        ),
        notes=(words.NO_REPEAT,) if len(days) == 1 else (),
        technical=(technical(cause),),
        run_url=links.run_url,
    )


def recovered(days: Sequence[dt.date], links: Links) -> Message:
    """The reports of days that failed or were not run are written."""
    sentence = day_words.recovered(days)
    return Message(
        subject=day_words.recovered_subject(days),
        preheader=sentence,
        greeting="",
        sentence=sentence,
        link=links.sheet,
        run_url=links.run_url,
    )


def to_do(causes: Sequence[FailureCause]) -> Part:
    """Who can do what about these causes, each thing once."""
    lines = dict.fromkeys(line for cause in causes for line in _words(cause).to_do)
    return Part(words.TO_DO, (*lines, words.COLLEAGUES))


def happened(cause: FailureCause) -> str:
    """The cause in a sentence for all readers."""
    return _words(cause).happened


def technical(cause: FailureCause) -> str:
    """The cause as the pipeline has it: the step, and the English text."""
    return f"{cause.step}: {cause.text}"


def _words(cause: FailureCause) -> words.Words:
    return words.words_of(cause.step, cause.checks, may_pass=cause.may_pass)
