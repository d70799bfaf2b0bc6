"""Finds the layers of the suite that look slower: the protocols and concurrency models in the names of rows."""

import re
import statistics
from typing import NamedTuple

from .rounds import SUSPECT
from .sequential import REGRESSION

MODE = re.compile(r"/(?P<protocol>[a-z]+)_(?P<model>[a-z_]+)(/|$)")


class Layer(NamedTuple):
    """A layer: `slower` of its `rows` look slower; `change` is the median share of these, or else of all rows."""
    name: str
    slower: int
    rows: int
    change: float


def looks_slower(row):
    """Returns whether a figure of the TimedRow has evidence that at most 1 in 20 unchanged ones have."""
    return row.verdict == REGRESSION or row.log_e >= SUSPECT


def layers_of(rows):
    """Returns the Layers of these TimedRows, protocols first.

    The change of a row is that of the figure that looks slowest.
    """
    measured = [row for row in rows if row.figures[0].blocks]
    found = {"protocol": {}, "model": {}}
    for row in measured:
        if mode := MODE.search(row.name):
            for kind, layers in found.items():
                layers.setdefault(mode[kind], []).append(row)
    return [_layer(name, own) for layers in found.values() for name, own in sorted(layers.items())]


def _layer(name, rows):
    slower = [row for row in rows if looks_slower(row)]
    slowest = [max(row.figures, key=lambda timed: timed.test.evidence[0]) for row in slower or rows]
    return Layer(name, len(slower), len(rows), statistics.median(timed.change for timed in slowest))
