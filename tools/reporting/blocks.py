"""What a section consists of, whatever it is rendered to: texts, tables, charts, what is folded.

A chart is panels side by side on a wide screen and one below the other on a phone; its axes are
shared, so that panels can be compared. Colours belong to keys (a model, a part), see palette.py.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Optional


class Axis(NamedTuple):
    label: str
    ticks: str  # how values read: micros, bytes, count, rate, megabytes; or names, as in `names`
    names: tuple = ()


class Series(NamedTuple):
    """Points (x, y), both positive; with named ticks x counts from 0."""
    key: str
    points: list
    dashed: bool = False


class Panel(NamedTuple):
    title: str
    series: list


class Bar(NamedTuple):
    """A stack: `shares` of 1 by key, in their order; `note` stands at its end."""
    label: str
    shares: dict
    note: str


class BarPanel(NamedTuple):
    title: str
    bars: list


@dataclass
class Chart:
    slug: str  # names the picture and its ids
    title: str
    panels: list
    x: Optional[Axis] = None
    y: Optional[Axis] = None
    scale: list = field(default_factory=list)  # panels that the axes have room for, if not these

    @property
    def keys(self):
        """The legend: all keys in order of appearance, the floor first."""
        found = {}
        for panel in self.panels:
            found |= dict.fromkeys([series.key for series in panel.series]
                                   if isinstance(panel, Panel) else
                                   [key for bar in panel.bars for key in bar.shares])
        return sorted(found, key=lambda key: key != "floor")


class Cell(NamedTuple):
    """A table's cell. `heat` from −1 (less, cold) to 1 (more, hot) tints it."""
    text: str
    heat: float = 0.0
    title: str = ""
    mark: str = ""  # a class of the page: "worse", "better", "doubt", "words"


@dataclass
class Table:
    """`head` is one row of column names; `groups` may stand above them as (name, columns)."""
    head: list
    rows: list
    groups: list = field(default_factory=list)
    picture: str = ""  # if a picture is to be had of it, its name
    title: str = ""
    words: tuple = ()  # numbers of columns that hold words, not figures


class Text(NamedTuple):
    text: str


class Folded(NamedTuple):
    summary: str
    blocks: list


def flat(blocks):
    """The blocks, folded ones too, without what folds them."""
    for block in blocks:
        yield from flat(block.blocks) if isinstance(block, Folded) else [block]


def share_scales(blocks):
    """Gives charts of one slug the same axes, so that results can be compared by the eye."""
    alike = {}
    for block in flat(blocks):
        if isinstance(block, Chart):
            alike.setdefault(block.slug, []).append(block)
    for charts in alike.values():
        for chart in charts:
            chart.scale = [panel for each in charts for panel in each.panels]
