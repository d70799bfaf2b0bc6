"""Compares two independent samples by ranks: how far one is above the other (Hodges and Lehmann).

The interval belongs to the U test of Mann and Whitney. Only ranks count, so a stalled repetition weighs no more than a
slow one. The test assumes that nothing but the builds differs between the samples, which two runs one after the other
cannot guarantee.
"""

import functools
import math
from statistics import NormalDist

import numpy as np

MOST_COUNTED = 10_000  # pairs; beyond them the normal distribution gives the quantiles of U


@functools.lru_cache
def tail(n, m, level):
    """Returns the largest k with P(U < k) <= level, for samples of n and m values from one distribution.

    Returns 0 if even P(U = 0) exceeds the level.
    """
    if n * m > MOST_COUNTED:
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        return max(0, math.floor(n * m / 2 + NormalDist().inv_cdf(level) * deviation))
    # counts[u] is the number of orders of the n + m values with U = u: the coefficients of the Gaussian binomial
    # Π (1 - x^(m+i)) / (1 - x^i), i = 1 … n.
    counts = [1] + [0] * (n * m // 2)
    for i in range(1, n + 1):
        for u in range(len(counts) - 1, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, len(counts)):
            counts[u] += counts[u - i]
    allowed, below = level * math.comb(n + m, n), 0
    for u, count in enumerate(counts):
        below += count
        if below > allowed:
            return u
    return len(counts)


def shift(base, head, confidence=0.95):
    """Returns (shift, low, high): how far head is above base, and the confidence interval of that.

    The shift is the median of all pairwise differences. The interval is infinite if the values are too few.
    """
    differences = np.sort(np.subtract.outer(np.asarray(head, float), np.asarray(base, float)), axis=None)
    k = tail(len(base), len(head), (1 - confidence) / 2)
    bounds = (differences[k - 1], differences[-k]) if k else (-math.inf, math.inf)
    return float(np.median(differences)), float(bounds[0]), float(bounds[1])


def values_for(confidence):
    """Returns the smallest size of both samples whose interval is finite at this confidence."""
    n = 1
    while math.comb(2 * n, n) * (1 - confidence) < 2:
        n += 1
    return n
