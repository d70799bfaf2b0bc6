"""Computes intervals of medians, which make no assumption about the distribution of the values."""

import math
import statistics

CONFIDENCE = 0.99  # that an interval holds the true median
UNSEEN = 0.005  # two runs of one build differ by this share for reasons that neither can see


def median_interval(values, confidence=CONFIDENCE):
    """Returns the sign test's interval (low, high) of the true median; None with too few values.

    It assumes only that the values are independent.
    """
    ordered, count, cut, tail = sorted(values), len(values), 0, 1
    while 2 * (tail / 2 ** count) <= 1 - confidence:  # tail: 2^count × P(fewer than cut + 1 below)
        cut += 1
        tail += math.comb(count, cut)
    return (ordered[cut - 1], ordered[-cut]) if cut else None


def widened(interval):
    """Returns the interval with what two runs differ in unseen."""
    return interval[0] * (1 - UNSEEN), interval[1] * (1 + UNSEEN)


def repeated_interval(values, intervals):
    """Returns the interval of the median of repetitions, which have an interval (low, high) each.

    If the repetitions are too few for the sign test, it holds the medians of their intervals' ends
    and all of their values.
    """
    known = median_interval(values)
    if known:
        return widened(known)
    lows, highs = zip(*intervals)
    return min(statistics.median(lows), *values), max(statistics.median(highs), *values)
