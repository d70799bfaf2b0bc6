"""Defines the parts of a section, however it is rendered: texts, tables, drawings, folded blocks.

The panels of a chart are side by side on a wide screen and one below the other on a phone. They
share their axes, so that readers can compare them. A key (a model, a part) has one colour, see
palette.py.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Optional


class Axis(NamedTuple):
    label: str
    ticks: str  # how values are written: micros, bytes, count, rate, megabytes; or as in `names`
    names: tuple = ()


class Series(NamedTuple):
    """A line through points (x, y), both positive; with named ticks x counts from 0.

    `joined` and `marked` say whether the line is drawn, and a marker at each of its points.
    """
    key: str
    points: list
    dashed: bool = False
    joined: bool = True
    marked: bool = True


class Panel(NamedTuple):
    title: str
    series: list


class Bar(NamedTuple):
    """A stack of `shares` that add up to 1, by key and in their order; `note` is at its end."""
    label: str
    shares: dict
    note: str


class BarPanel(NamedTuple):
    title: str
    bars: list


@dataclass
class Chart:
    """A chart of lines or bars in panels; only lines have the axes `x` and `y`."""
    slug: str  # names the picture and its ids
    title: str
    panels: list
    x: Optional[Axis] = None
    y: Optional[Axis] = None
    scale: list = field(default_factory=list)  # panels that the axes must fit; default: `panels`

    @property
    def keys(self):
        """The legend: all keys in order of appearance, the floor first."""
        found = {}
        for panel in self.panels:
            found |= dict.fromkeys([series.key for series in panel.series]
                                   if isinstance(panel, Panel) else
                                   [key for bar in panel.bars for key in bar.shares])
        return sorted(found, key=lambda key: key != "floor")


class Span(NamedTuple):
    """A time of a run, in seconds, with what was measured in it."""
    begin: float
    end: float
    names: list


class Lane(NamedTuple):
    """What is drawn in one line below a curve: the spans of loops and those of pairs."""
    label: str
    loops: list
    pairs: list


class Timeline(NamedTuple):
    """A curve over the seconds of a run, in steps, with a limit and with lanes below it.

    A value is None where there is a gap. `curve` and `limit` have the text about them.
    """
    slug: str  # names the picture and its ids
    title: str
    step: float
    values: list
    limit: float
    curve_text: str
    limit_text: str
    lanes: list


class Cell(NamedTuple):
    """A cell of a table, tinted by `heat` from −1 (less, cold) to 1 (more, hot)."""
    text: str
    heat: float = 0.0
    title: str = ""
    mark: str = ""  # a CSS class of the page: "worse", "better", "doubt", "faint"


@dataclass
class Table:
    """A table; `head` names its columns, `groups` are (name, number of columns) above them."""
    head: list
    rows: list
    groups: list = field(default_factory=list)
    picture: str = ""  # name of its picture, if it gets one
    title: str = ""
    words: tuple = ()  # indexes of columns with words instead of figures


class Text(NamedTuple):
    text: str


class Folded(NamedTuple):
    summary: str
    blocks: list


def flat(blocks):
    """Yields all blocks, with folded blocks replaced by what they contain."""
    for block in blocks:
        yield from flat(block.blocks) if isinstance(block, Folded) else [block]


def share_scales(blocks):
    """Gives all charts with the same slug the same axes, so that readers can compare results."""
    alike = {}
    for block in flat(blocks):
        if isinstance(block, Chart):
            alike.setdefault(block.slug, []).append(block)
    for charts in alike.values():
        for chart in charts:
            chart.scale = [panel for each in charts for panel in each.panels]
