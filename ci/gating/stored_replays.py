"""Replays gates of two stored results from recorded sides of one build, with the real gate's judgement.

A replay takes two different sides, and some of the repetitions of each, none of them twice. It is therefore as noisy as
a real gate with so many repetitions. Drawing with replacement would add the noise of the draw to that of the side, and
would find many more false alarms. A slower head is a side of the same build with its ratios multiplied.
"""

from typing import NamedTuple

import numpy as np

from .ratios import ALL, judge
from .rows import is_native
from .sequential import PASS, REGRESSION
from .stored import StoredResult


class Scenario(NamedTuple):
    """A head that is slower by a share, in one native row or in all of them, and the verdict that it must never get."""
    share: float
    in_all: bool
    wrong: str


SCENARIOS = {
    "nothing": Scenario(0.0, False, REGRESSION),
    "3 % in one row": Scenario(0.03, False, ""),  # between what is tolerated and the limit: any verdict is right
    "5 % in one row": Scenario(0.05, False, PASS),
    "10 % in one row": Scenario(0.10, False, PASS),
    "5 % in all rows": Scenario(0.05, True, PASS),
}


class Verdict(NamedTuple):
    """What a gate of two stored results says."""
    verdict: str
    together: str  # the verdict about all native rows; empty if they are too few


def verdict_of(base, head, settings):
    """Returns the Verdict of a gate whose sides have these ratios, {row: ratios}, and no exact figures."""
    rows = judge(base, head, settings)
    together = rows[-1].verdict if rows[-1].name == ALL else ""
    return Verdict(StoredResult(None, None, settings, rows=rows).verdict, together)


def repetitions_of(side):
    """Returns how many repetitions of every row a side has."""
    return min(map(len, side.values()))


def drawn(side, draw, rng):
    """Returns a side's ratios of `draw` repetitions, the same ones for all rows."""
    repetitions = rng.choice(repetitions_of(side), draw, replace=False)
    return {row: np.asarray(ratios)[repetitions] for row, ratios in side.items()}


def replay(sides, scenario, settings, count, draw, seed=1):
    """Returns the Verdicts of `count` replays with `draw` repetitions.

    `sides` are {row: ratios} of one build, all with the same rows.
    """
    rng = np.random.default_rng(seed)
    native, verdicts = list(filter(is_native, sides[0])), []
    for _ in range(count):
        base, head = (drawn(sides[k], draw, rng) for k in rng.choice(len(sides), 2, replace=False))
        for row in native if scenario.in_all else [native[rng.integers(len(native))]]:
            head[row] = head[row] * (1 + scenario.share)
        verdicts.append(verdict_of(base, head, settings))
    return verdicts
