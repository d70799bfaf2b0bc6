"""Two independent samples compared by ranks: by how much one is above the other (Hodges and Lehmann), with
the interval that belongs to the U test of Mann and Whitney, and what that test can show of so many values.

Only ranks count, so a stalled repetition weighs no more than a slow one. What the test assumes, and two runs
one after the other do not give, is that nothing but the builds differs between the samples.
"""

import functools
import math
from statistics import NormalDist

import numpy as np

MOST_COUNTED = 10_000  # pairs; of more, the normal distribution tells the quantiles of U


@functools.lru_cache
def tail(n, m, level):
    """The largest k with P(U < k) <= level for samples of n and m values from one distribution; 0 if even
    P(U = 0) exceeds the level."""
    if n * m > MOST_COUNTED:
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        return max(0, math.floor(n * m / 2 + NormalDist().inv_cdf(level) * deviation))
    # counts[u] of the orders of the n + m values have U = u: the coefficients of the Gaussian binomial
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
    """(shift, low, high): by how much head is above base, the median of all pairwise differences, and its
    confidence interval, endless where so few values allow none."""
    differences = np.sort(np.subtract.outer(np.asarray(head, float), np.asarray(base, float)), axis=None)
    k = tail(len(base), len(head), (1 - confidence) / 2)
    bounds = (differences[k - 1], differences[-k]) if k else (-math.inf, math.inf)
    return float(np.median(differences)), float(bounds[0]), float(bounds[1])


def smallest_p(n, m):
    """The p value of two samples of n and m values that do not overlap, as SciPy's two-sided mannwhitneyu
    gives it: exact up to 8 values on either side, else normal, with correction for continuity."""
    if min(n, m) <= 8:
        return 2 / math.comb(n + m, n)
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc((n * m / 2 - 0.5) / deviation / math.sqrt(2))


def repetitions_for(p):
    """Of either sample, from 9 on: the fewest whose smallest p value is below p."""
    n = 9
    while smallest_p(n, n) >= p:
        n += 1
    return n
