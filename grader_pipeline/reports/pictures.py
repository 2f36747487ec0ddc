"""Pictures of the reports for the Dagster UI and the page: lines, bars and heat maps, as PNG.

A report's header says what its picture shows. The background is transparent. The colours can be
read on white and on black. The rows are those of ``read_named`` (``privacy.py``), the newest day
first.

A run draws nothing: a report's metadata has a link (``links.py``). The UI's web server draws the
picture when somebody opens it (``picture_files.py``). The page draws its own.
"""

import base64
import datetime as dt
import io
import math
import textwrap
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader_pipeline.reports import russian
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.header_values import Picture
from grader_pipeline.reports.names import COURSE, TASK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.legend import Legend

COLOURS = ("#2f81f7", "#2da44e", "#bf6a02", "#a475f9", "#d1496b")
GREY = "#808893"
_INCHES = (6.6, 3.4)
_BAR_INCHES = 0.3
_DOTS_PER_INCH = 120
_MARGIN = 0.05
_LONGEST_LABEL = 34
_MOST_LINES = 20

# Matplotlib is not safe in several threads.
_drawing = threading.Lock()

Heights = dict[str, dict[Any, float]]
"""Name of a series -> place on the axis -> height."""


def draw(report: Report, rows: Sequence[Row], comment: str = "") -> bytes | None:
    """Draw a report's picture as a PNG; None if it has none, or no row has a value for it.

    ``comment`` is written into the PNG as text. It is not visible.
    """
    picture = report.picture
    points = _points(report, picture, rows) if picture else []
    if not picture or not points:
        return None
    with _drawing:
        return _drawn(picture, points, comment)


def _drawn(picture: Picture, points: Sequence[tuple[str, Any, float]], comment: str) -> bytes:
    # The import takes half a second. Only pictures need it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    series: Heights = {}
    for name, place, value in points:
        series.setdefault(name, {})[place] = value
    # The place with the smallest value of its first series is the first bar.
    first = {place: value for _, place, value in reversed(points)}
    places = sorted(first)
    width, height = _INCHES
    if picture.kind == "bar":
        places.sort(key=lambda place: (first[place], str(place)))
        places = places[: picture.top]
        height = max(height, _BAR_INCHES * len(places) + 1.2)
    figure = Figure((width, height), _DOTS_PER_INCH, facecolor="none")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor="none")
    {"line": _lines, "bar": _bars, "heat": _heat}[picture.kind](axes, series, places)
    axes.tick_params(colors=GREY, labelsize=10, length=0, pad=4)
    axes.spines[:].set_visible(False)
    if picture.kind != "heat":
        figure.legend(loc="upper left", frameon=False, fontsize=10, labelcolor=GREY)
    _fit(axes, canvas.get_renderer())  # type: ignore[no-untyped-call]
    png = io.BytesIO()
    # Figure.savefig draws everything twice.
    canvas.print_png(png, metadata={"Comment": comment})  # type: ignore[no-untyped-call]
    return png.getvalue()


def as_data_url(png: bytes) -> str:
    """A picture as part of a page."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _points(report: Report, picture: Picture, rows: Sequence[Row]) -> list[tuple[str, Any, float]]:
    """The name of the series, the place on the axis and the height of each value."""
    newest = max((row["report_date"] for row in rows), default=dt.date.min)
    points = []
    several = _of_several_courses(picture.x, rows)
    for row in rows:
        if row["report_date"] <= newest - dt.timedelta(days=picture.days):
            continue
        if picture.only and str(row[picture.only[0]]) not in picture.only[1]:
            continue
        # Of a merged line no more is known than its parents.
        if picture.by and row[picture.by] is None:
            continue
        for name in picture.y:
            label = report.columns[name].text if name in report.columns else name
            series = row[picture.by] if picture.by else label
            if row[name] is not None and row[picture.x] is not None:
                place = _place(row, picture.x, several)
                points.append((_name(series), place, float(row[name])))
    # On an axis of numbers or days a merged line has no place.
    is_of_texts = all(isinstance(place, str) for _, place, _ in points)
    return [point for point in points if is_of_texts or not isinstance(point[1], str)]


def _of_several_courses(x: str, rows: Sequence[Row]) -> set[Any]:
    """The places that tasks of several courses have. Each of them needs one of its own."""
    courses: dict[Any, Any] = {}
    return {
        row[x] for row in rows
        if x == TASK and courses.setdefault(row[x], row.get(COURSE)) != row.get(COURSE)
    }  # fmt: skip


def _place(row: Row, x: str, several: set[Any]) -> object:
    return f"{_name(row[COURSE])}: {row[x]}" if row[x] in several else row[x]


def _lines(axes: "Axes", series: Heights, places: Sequence[Any]) -> None:
    if all(isinstance(place, dt.date) for place in places):
        # A day that is missing interrupts the line.
        span = (places[-1] - places[0]).days
        places = [places[0] + dt.timedelta(days=n) for n in range(span + 1)]
    for number, (name, values) in enumerate(series.items()):
        heights = [values.get(place, float("nan")) for place in places]
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(range(len(places)), heights, color=colour, linewidth=2, marker="o",
                  markersize=3, label=_literal(name))  # fmt: skip
    step = max(1, len(places) // 7)
    ticks = range(len(places) - 1, -1, -step)
    axes.set_xticks(list(ticks), [_text(places[tick]) for tick in ticks])
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.grid(axis="y", color=GREY, alpha=0.25)


def _bars(axes: "Axes", series: Heights, places: Sequence[Any]) -> None:
    width = 0.8 / len(series)
    for number, (name, values) in enumerate(series.items()):
        # All bars are one shape with gaps: barh makes a shape for each bar, which is slow.
        first = (number - len(series) / 2) * width
        edges = [index + first + side for index in range(len(places)) for side in (0, width * 0.9)]
        bars = [length for place in places for length in (values.get(place, 0), math.nan)][:-1]
        axes.stairs(bars, edges, orientation="horizontal", fill=True,
                    color=COLOURS[number % len(COLOURS)], label=_literal(name))  # fmt: skip
    axes.set_yticks(range(len(places)), [_text(place) for place in places])
    axes.invert_yaxis()
    axes.grid(axis="x", color=GREY, alpha=0.25)


def _heat(axes: "Axes", series: Heights, places: Sequence[Any]) -> None:
    # The order is that of the rows, reversed: the oldest day on top. Days as texts sort wrongly.
    series = dict(reversed(series.items()))
    cells = [[values.get(place, float("nan")) for place in places] for values in series.values()]
    axes.imshow(cells, aspect="auto", cmap="viridis")
    axes.set_xticks(range(len(places)), [_text(place) for place in places])
    # As many labels as can be read, the newest day among them.
    ticks = range(len(series) - 1, -1, -math.ceil(len(series) / _MOST_LINES))
    axes.set_yticks(list(ticks), [_literal(list(series)[tick]) for tick in ticks])


def _fit(axes: "Axes", renderer: "RendererAgg") -> None:
    """Give the axes the space that labels and legend leave.

    Matplotlib's own layouts draw all labels several times. That is half the time of a picture.
    """
    figure = axes.figure
    width, height = figure.bbox.size
    for legend in figure.legends:
        _wrap(legend, renderer, width)
    above = sum(legend.get_window_extent(renderer).height for legend in figure.legends)
    # The number of labels depends on the size of the axes, so set about that size first.
    axes.set_position((0.2, 0.1, 0.78, 0.88 - above / height))
    beside, below = (
        [label.get_window_extent(renderer) for label in axis.get_ticklabels()]
        for axis in (axes.yaxis, axes.xaxis)
    )
    margin = _MARGIN * _DOTS_PER_INCH
    left = 2 * margin + max(box.width for box in beside)
    right = margin + max(box.width for box in below) / 2
    bottom = 2 * margin + max(box.height for box in below)
    top = margin + above
    axes.set_position(
        (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
    )


def _wrap(legend: "Legend", renderer: "RendererAgg", width: float) -> None:
    """Break names of series that are longer than the picture into two lines."""
    too_wide = legend.get_window_extent(renderer).width - width
    texts = {text: text.get_window_extent(renderer).width for text in legend.get_texts()}
    room = max(texts.values()) - too_wide
    for text, needed in texts.items():
        if needed > room:
            signs = int(len(text.get_text()) * room / needed)
            text.set_text(textwrap.fill(text.get_text(), signs, max_lines=2, placeholder="…"))


def _text(value: object) -> str:
    """A place on an axis: a day, or a name. A long one lacks its middle: ids differ at the end."""
    text = _name(value)
    if len(text) > _LONGEST_LABEL:
        text = f"{text[: _LONGEST_LABEL // 2]}…{text[-_LONGEST_LABEL // 2 :]}"
    return _literal(text)


def _name(value: object) -> str:
    if isinstance(value, dt.date):
        return russian.short_date(value)
    return str(value).removeprefix("course-v1:")


def _literal(text: str) -> str:
    """A text as matplotlib draws it sign by sign. Between two $ it would read a formula."""
    return text.replace("$", r"\$")
