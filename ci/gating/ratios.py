"""Judges two runs by `probe_ratio`: the cost of a call divided by the time of a bare ping, measured in turns with it.

The speed of a machine cancels out of this ratio. Some of what differs between two runs of one build does not, and is
common to all repetitions of a run: where processes lie in memory, or what a neighbour leaves of the caches. The
repetitions cannot show that, so each rule tolerates some change, and all bounds reach further by it.

Rows are judged one by one, by ranks. Native rows are also judged together, because a change of the code that all
servers share makes all of them a little slower. Their change is the median of all rows' changes, with the bounds of
the sign test. These allow for rows that moved for reasons of their own.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from .ranks import shift, values_for
from .rows import is_native
from .sequential import INCONCLUSIVE, PASS, REGRESSION, median_interval

ALL = "all native rows"


@dataclass(frozen=True)
class Judged:
    """The change of one row, or of all native rows together, with its verdict.

    Shares; above 0 is worse. If two runs of one build differ by no more than what is tolerated, the change is below
    `low` with at most the probability of a false alarm, and above `high` with at most that of a miss.
    """
    name: str
    rule: object  # StoredRule
    change: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    verdict: str = INCONCLUSIVE
    reason: str = ""  # why it is inconclusive


def _judged(name, rule, interval, level, missed, repetitions=None):
    """Returns the Judged of `interval(confidence)`, which returns (change, low, high) as logarithms.

    `level` is the probability of a false alarm, `missed` that of a miss. With `repetitions`, an inconclusive result
    says how many would do.
    """
    (change, low, _), (_, _, high) = interval(1 - 2 * level), interval(1 - 2 * missed)
    margin = math.log1p(rule.tolerated)
    room = math.log1p(rule.limit) - margin
    verdict = REGRESSION if low > margin else PASS if high < room else INCONCLUSIVE
    reason = ""
    if verdict == INCONCLUSIVE:
        reason = "its bounds are too far apart; more repetitions may help"
        if repetitions:  # the bounds come closer with the root of the number
            needed = min(repetitions * (width / distance) ** 2 for width, distance in (
                (change - low, change - margin), (high - change, room - change)) if distance > 0)
            reason = f"its bounds are too far apart; about {math.ceil(needed)} repetitions would do"
    return Judged(name, rule, *map(math.expm1, (change, low - margin, high + margin)), verdict, reason)


def judge(base, head, settings):
    """Returns the Judged of each row, followed by that of all native rows if these are enough.

    `base` and `head` have the same rows: {row: the ratios of its repetitions}. Whether a gate alarms depends on
    nothing else, so replays call this as well.
    """
    level = settings.stored_false_alarms / max(len(base), 1)
    least = max(settings.min_repetitions, values_for(1 - 2 * level))
    found, native = [], []
    for name in base:
        rule, count = settings.stored_rule(name), min(len(base[name]), len(head[name]))
        if count < least:
            found.append(Judged(name, rule, reason=f"has {count} repetitions, needs {least}"))
            continue
        interval = functools.partial(shift, np.log(base[name]), np.log(head[name]))
        found.append(_judged(name, rule, interval, level, settings.missed, count))
        if is_native(name):
            native.append(math.log1p(found[-1].change))
    if 2.0 ** -len(native) <= settings.false_alarms:  # otherwise the sign test has no bound
        interval = functools.partial(median_interval, native)
        found.append(_judged(ALL, settings.stored_rule(), interval, settings.false_alarms, settings.missed))
    return found
