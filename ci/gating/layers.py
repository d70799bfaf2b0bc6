"""Which layers of the suite look slower: the protocols and the concurrency models that rows are named by."""

import re
import statistics
from typing import NamedTuple

from .rounds import SUSPECT
from .sequential import REGRESSION

MODE = re.compile(r"/(?P<protocol>[a-z]+)_(?P<model>[a-z_]+)(/|$)")


class Layer(NamedTuple):
    """`slower` of `rows` look slower; `change` is their median, or that of all if none does, a share."""
    name: str
    slower: int
    rows: int
    change: float


def looks_slower(row):
    """Whether a figure of the TimedRow has such evidence as 1 in 20 equal ones at most has."""
    return row.verdict == REGRESSION or row.log_e >= SUSPECT


def layers_of(rows):
    """The Layers of these TimedRows, protocols first; a row's change is that of the figure that looks slowest."""
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
