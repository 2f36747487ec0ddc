"""The mail's picture: the main metrics of the last thirty days, as a PNG.

Its background is transparent. Its colours can be read on white and on black, because a mail cannot
know which of them its reader has. Letters are large enough for the width of a phone.
"""

import datetime as dt
import io

from grader_pipeline.reports import russian
from grader_pipeline.reports.day_metrics import HISTORY_DAYS, Series
from grader_pipeline.reports.pictures import COLOURS, GREY

_INCHES = (4.8, 3.3)
_DOTS_PER_INCH = 200


def draw(series: Series, last_day: dt.date) -> bytes | None:
    """Draw a line per label over the thirty days that end with ``last_day``, as a PNG.

    A day without a value interrupts its line. None if there is no value at all.
    """
    if not any(value is not None for values in series.values() for value in values.values()):
        return None
    # The import takes half a second. Only mails need it.
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    days = [last_day - dt.timedelta(days=back) for back in reversed(range(HISTORY_DAYS))]
    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    for (label, values), colour in zip(series.items(), COLOURS, strict=False):
        heights = [float("nan" if (v := values.get(day)) is None else v) for day in days]
        axes.plot(days, heights, color=colour, linewidth=2, marker="o", markersize=3, label=label)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.set_xlim(days[0] - dt.timedelta(days=1), days[-1] + dt.timedelta(days=1))  # type: ignore[arg-type]
    axes.set_xticks(days[::-7], [f"{day:%d.%m}" for day in days[::-7]])  # type: ignore[arg-type]
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(lambda y, _: russian.number(round(y)))
    axes.tick_params(colors=GREY, labelsize=12, length=0, pad=6)
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.spines[:].set_visible(False)
    figure.legend(loc="outside upper left", frameon=False, fontsize=12, labelcolor=GREY)
    png = io.BytesIO()
    figure.savefig(png, format="png", transparent=True)
    return png.getvalue()
