"""The gate's statistics: a test of paired measurements that is valid at every moment of stopping.

A quad yields q = ½ Σ ln t_head - ½ Σ ln t_base, and a fair coin decided which of its slots was whose.
So for a pure shift by d, q - d is as likely positive as negative given its size and all quads before.
A gambler who bets the share λ < 1 of his capital on "positive" each time can't expect to win:

    E = Π (1 + λ_k sgn(q_k - d))        d = ln(1 + tolerated)
    F = Π (1 + λ'_k sgn(D - q_k))       D = ln(1 + caught)

E is a martingale (for less than d it only falls), and by Ville's inequality P(E ever ≥ c) ≤ 1/c, for any
tail, drift or correlation of the noise. The stake may depend on the past and on the size of q_k - d,
which is what makes the bet worth something: it is high where the size stands out of the noise.
A row is a regression once E ≥ rows / alpha, passes once F ≥ 1 / beta.

The arrays have one entry a gate, so that thousands of virtual gates are replayed by the same lines that
decide a real one.
"""

import math

import numpy as np

REGRESSION, PASS, INCONCLUSIVE = "regression", "pass", "inconclusive"

STAKE = 0.95  # the most that is bet; 1 would lose all to a single wrong sign
FIRST_STAKE = 0.5
FIRST_QUADS = 3  # until then the noise is not known


class Limits:
    """What a test of one row decides: shares by which a time may grow, and error rates."""

    def __init__(self, tolerated, caught, rows=1, alpha=0.001, beta=0.05):
        """No more than `tolerated` (0.02) alarms with a probability above `alpha` / `rows`; a growth
        by `caught` (0.05) or more passes with a probability of `beta` at most."""
        if not 0 <= tolerated < caught:
            raise ValueError("what must be caught must exceed what is tolerated")
        self.d, self.D = math.log1p(tolerated), math.log1p(caught)
        self.alarm_at, self.pass_at = math.log(rows / alpha), math.log(1 / beta)


class SequentialTests:
    """`width` tests side by side, of gates that have nothing to do with each other."""

    def __init__(self, limits, width=1):
        self.limits = limits
        self.quads = np.empty((0, width))
        self.log_e, self.log_f = np.zeros(width), np.zeros(width)
        self.alarmed_after = np.zeros(width, int)  # quads; 0: not yet
        self.passed_after = np.zeros(width, int)

    def add(self, q):
        """The next quad of each gate. A gate that is decided stays so, whatever comes."""
        count = len(self.quads)
        noise = self.noise() if count >= FIRST_QUADS else None
        self.log_e += self._bet(q - self.limits.d, noise)
        self.log_f += self._bet(self.limits.D - q, noise)
        self.quads = np.vstack([self.quads, q])
        open_ = (self.alarmed_after == 0) & (self.passed_after == 0)
        alarm = self.log_e >= self.limits.alarm_at
        self.alarmed_after[open_ & alarm] = count + 1
        self.passed_after[open_ & ~alarm & (self.log_f >= self.limits.pass_at)] = count + 1

    def noise(self):
        """The quads' scaled median absolute deviation: a robust standard deviation of ln."""
        return 1.4826 * np.median(np.abs(self.quads - np.median(self.quads, axis=0)), axis=0)

    @staticmethod
    def _bet(distance, noise):
        if noise is None:
            stake = FIRST_STAKE
        else:
            stake = STAKE * np.tanh(np.abs(distance) / np.maximum(noise, 1e-12))
        return np.log1p(stake * np.sign(distance))


class RowTest:
    """The test of one row of a real gate."""

    def __init__(self, limits):
        self._tests = SequentialTests(limits)

    def add(self, q):
        self._tests.add(np.array([q]))

    @property
    def verdict(self):
        """REGRESSION, PASS, or INCONCLUSIVE as long as it is neither."""
        if self._tests.alarmed_after[0]:
            return REGRESSION
        return PASS if self._tests.passed_after[0] else INCONCLUSIVE

    @property
    def evidence(self):
        """ln E and ln F."""
        return float(self._tests.log_e[0]), float(self._tests.log_f[0])

    @property
    def quads(self):
        return [float(q) for q in self._tests.quads[:, 0]]

    @property
    def noise(self):
        """Of a quad, as a share; None for fewer than two."""
        return float(self._tests.noise()[0]) if len(self._tests.quads) > 1 else None


def median_interval(values, confidence=0.95):
    """(median, low, high): the interval is the sign test's, so it assumes nothing but independence.
    Too few values for the confidence: from the smallest to the largest."""
    ordered = sorted(values)
    n = len(ordered)
    tail, cut = 0.0, 0
    while cut < n // 2:
        tail += math.comb(n, cut) / 2**n
        if 2 * tail > 1 - confidence:
            break
        cut += 1
    low = max(cut - 1, 0)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return middle, ordered[low], ordered[n - 1 - low]


def replay(limits, quads, gates, max_quads, shift=0.0, rng=None, coins=True):
    """`gates` virtual gates of one row from the quads of a run of A against A, and their verdicts.

    Each takes a stretch of the run, in order and round the end, so that drift and correlation stay in
    it; a fresh coin turns each quad, as another throw would have, unless `coins` are not wanted, because
    the two sides did differ; `shift` (ln) is what the head is slower by. Returns (alarms, passes, quads until decided), arrays of `gates`.
    """
    rng = rng or np.random.default_rng()
    quads = np.asarray(quads, float)
    starts = rng.integers(len(quads), size=gates)
    tests = SequentialTests(limits, gates)
    for k in range(max_quads):
        turns = rng.choice((-1.0, 1.0), size=gates) if coins else 1.0
        tests.add(turns * quads[(starts + k) % len(quads)] + shift)
    alarmed, passed = tests.alarmed_after, tests.passed_after
    return alarmed > 0, passed > 0, np.where(alarmed + passed > 0, alarmed + passed, max_quads)


def detectable(limits, quads, max_quads, rate=0.95, gates=400, rng=None):
    """The smallest slowdown, a share, that `rate` of gates with this noise catch; None if not even
    ten times what must be caught. The quads' own shift is taken out first."""
    rng = rng or np.random.default_rng(0)
    centred = np.asarray(quads, float) - np.median(quads)
    low, high = limits.d, 10 * limits.D

    def caught(shift):
        return replay(limits, centred, gates, max_quads, shift, rng)[0].mean() >= rate

    if not caught(high):
        return None
    while high - low > 0.0005:
        middle = (low + high) / 2
        low, high = (low, middle) if caught(middle) else (middle, high)
    return math.expm1(high)
