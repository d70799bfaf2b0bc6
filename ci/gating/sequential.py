"""Tests paired measurements by a statistic that is valid at every moment of stopping.

A block yields q, the logarithm of head's figure over base's. Builds that are alike could be exchanged in a block, so
that q would have the other sign. For a pure shift by d, q - d is therefore as likely positive as negative, given its
size and all blocks before. A gambler who bets the share λ < 1 of his capital on "positive" each time cannot expect to
win:

    E = Π (1 + λ_k sgn(q_k - d))        d = ln(1 + tolerated)
    F = Π (1 + λ'_k sgn(D - q_k))       D = ln(1 + caught)

E is a martingale (for less than d it only falls), and by Ville's inequality P(E ever ≥ c) ≤ 1/c, for any
tail, drift or correlation of the noise. A figure passes once F ≥ 1 / beta.

The mean of several figures' E is a martingale as well, however they depend on each other. It remains one if the next
figure to measure is chosen from the past alone. Their product is none, because rows of one round share processes. A
gate alarms once the mean of all E reaches 1 / alpha, which uses up all of its chance of a false alarm. One figure with
E ≥ figures / alpha brings the mean there alone, and is a regression by itself. If many are slower, each needs less.

The stake may depend on the past and on the size m = |q_k - d|, which makes the bet worthwhile. Against a shift by δ
in noise of density f the best stake is (f(m-δ) - f(m+δ)) / (f(m-δ) + f(m+δ)). The noise of a shared machine has a
narrow core and far outliers, because a neighbour may slow one slot down. For Cauchy's density the best stake is
2mδ / (s² + m² + δ²), which grows up to m² = s² + δ² and falls beyond it. The stake here must not fall: for a shift
below d, E only falls if a larger size never has a smaller stake. Beyond that point it therefore stays constant. δ is
the smallest shift that matters, or what the median of the past says if that is more.

The arrays have one entry for each gate, so that the same lines decide a real gate and thousands of virtual ones.
"""

import math
import statistics

import numpy as np

from common import intervals  # in tools/

REGRESSION, PASS, INCONCLUSIVE = "regression", "pass", "inconclusive"

STAKE = 0.85  # the largest stake: five blocks can pass with it; a larger one would lose more to an outlier
MOST_WON = math.log1p(STAKE)  # the largest gain of ln E in a block
FIRST_BLOCKS = 3  # blocks before the noise is known


class Limits:
    """The limits of a test of one figure: shares by which a time may grow, and error rates."""

    def __init__(self, tolerated, caught, figures=1, alpha=0.001, beta=0.05):
        """A growth by at most `tolerated` (0.02) alarms with at most a probability of `alpha` / `figures`.

        A growth by at least `caught` (0.05) passes with at most a probability of `beta`.
        """
        if not 0 <= tolerated < caught:
            raise ValueError("what must be caught must exceed what is tolerated")
        self.d, self.D = math.log1p(tolerated), math.log1p(caught)
        self.alarm_at, self.pass_at = math.log(figures / alpha), math.log(1 / beta)


class SequentialTests:
    """Runs `width` tests side by side, of gates that are independent of each other."""

    def __init__(self, limits, width=1):
        self.limits = limits
        self._blocks, self._count = np.empty((64, width)), 0
        self.log_e, self.log_f = np.zeros(width), np.zeros(width)
        self.alarmed_after = np.zeros(width, int)  # blocks; 0 if it has not alarmed
        self.passed_after = np.zeros(width, int)

    @property
    def blocks(self):
        """The blocks so far, as an array of blocks x gates."""
        return self._blocks[:self._count]

    @property
    def all_decided(self):
        return bool(np.all(self.alarmed_after + self.passed_after))

    def add(self, q):
        """Adds the next block of each gate. A decision of a gate is final."""
        limits, count = self.limits, self._count
        median, scale = self._median_and_scale() if count >= FIRST_BLOCKS else (0.0, None)
        self.log_e += self._bet(q - limits.d, median - limits.d, scale)
        self.log_f += self._bet(limits.D - q, limits.D - median, scale)
        if count == len(self._blocks):
            self._blocks = np.concatenate([self._blocks, np.empty_like(self._blocks)])
        self._blocks[count] = q
        self._count += 1
        open_ = (self.alarmed_after == 0) & (self.passed_after == 0)
        alarm = self.log_e >= limits.alarm_at
        self.alarmed_after[open_ & alarm] = count + 1
        self.passed_after[open_ & ~alarm & (self.log_f >= limits.pass_at)] = count + 1

    def _median_and_scale(self):
        """Returns median and scale of the blocks so far; the scale of Cauchy's density is the MAD."""
        median = np.median(self.blocks, axis=0)
        return median, np.median(np.abs(self.blocks - median), axis=0)

    def _bet(self, distance, shift, scale):
        """Returns the logarithm of what a bet leaves; the past predicts the distance `shift`."""
        if scale is None:
            stake = STAKE
        else:
            delta = np.maximum(shift, self.limits.D - self.limits.d)
            most = np.hypot(scale, delta)
            size = np.minimum(np.abs(distance), most)
            stake = np.minimum(STAKE, 2 * size * delta / (most**2 + size**2))
        return np.log1p(stake * np.sign(distance))


def log_mean(log_values):
    """Returns the logarithm of the mean of numbers, given their logarithms."""
    return float(np.logaddexp.reduce(log_values) - math.log(len(log_values)))


class FigureTest:
    """Tests one figure of a real gate."""

    def __init__(self, limits):
        self._tests = SequentialTests(limits)

    def add(self, q):
        self._tests.add(np.array([q]))

    @property
    def verdict(self):
        """REGRESSION or PASS, or INCONCLUSIVE while it is neither."""
        if self._tests.alarmed_after[0]:
            return REGRESSION
        return PASS if self._tests.passed_after[0] else INCONCLUSIVE

    @property
    def evidence(self):
        """The evidence, ln E and ln F."""
        return float(self._tests.log_e[0]), float(self._tests.log_f[0])

    @property
    def blocks(self):
        return [float(q) for q in self._tests.blocks[:, 0]]

    @property
    def noise(self):
        """The noise of a block: the relative median absolute deviation; None for fewer than two blocks."""
        return float(np.median(np.abs(self.blocks - np.median(self.blocks)))) if len(
            self.blocks) > 1 else None


def median_interval(values, confidence=0.95):
    """Returns (median, low, high) with the sign test's interval, which assumes only independence.

    With too few values for the confidence it reaches from the smallest to the largest.
    """
    low, high = intervals.median_interval(values, confidence) or (min(values), max(values))
    return statistics.median(values), low, high


def replay(limits, blocks, gates, max_blocks, shift=0.0, rng=None, coins=True):
    """Replays `gates` virtual gates of one row from the blocks of a run of A against A.

    Each takes a stretch of the run, in order and wrapping around at the end, so that drift and correlation are
    preserved. A fresh coin turns each block, as another throw would have. Without `coins` none is turned, for
    sides that did differ. `shift` (ln) is the slowdown of the head.

    Returns (alarms, passes, blocks until decided), arrays of `gates`.
    """
    rng = rng or np.random.default_rng()
    blocks = np.asarray(blocks, float)
    starts = rng.integers(len(blocks), size=gates)
    tests = SequentialTests(limits, gates)
    for k in range(max_blocks):
        turns = rng.choice((-1.0, 1.0), size=gates) if coins else 1.0
        tests.add(turns * blocks[(starts + k) % len(blocks)] + shift)
        if tests.all_decided:
            break
    alarmed, passed = tests.alarmed_after, tests.passed_after
    return alarmed > 0, passed > 0, np.where(alarmed + passed > 0, alarmed + passed, max_blocks)


def detectable(limits, blocks, max_blocks, rate=0.95, gates=400, rng=None):
    """Returns the smallest slowdown, a share, that `rate` of gates with this noise catch.

    The blocks' own shift is removed first. Returns None if not even ten times what must be caught is found.
    """
    rng = rng or np.random.default_rng(0)
    centred = np.asarray(blocks, float) - np.median(blocks)
    low, high = limits.d, 10 * limits.D

    def caught(shift):
        return replay(limits, centred, gates, max_blocks, shift, rng)[0].mean() >= rate

    if not caught(high):
        return None
    while high - low > 0.001:
        middle = (low + high) / 2
        low, high = (low, middle) if caught(middle) else (middle, high)
    return math.expm1(high)
