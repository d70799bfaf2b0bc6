"""Replays whole gates from the blocks that real ones recorded, with the same order, tests and verdict.

The clock advances by the recorded time of a block. For each row, a replay takes a stretch of the blocks of all
recorded gates. It keeps their order and wraps around at the end, which preserves drift. If base and head were the
same, a fresh coin turns each block, as another throw would have.
"""

import math
import types

import numpy as np

from .build_gate import control_row, timed_rows
from .rounds import decide
from .verdict import GateResult


class RecordedBlocks:
    """Replaces Blocks, which measures for a real gate."""

    def __init__(self, recorded, a_block, same, seed):
        """`recorded` is {row: array of blocks x figures}, as logarithms of head over base; above 0 is worse.

        `a_block` is the time of a block in seconds. `same` says whether coins may turn the blocks.
        """
        self._recorded, self._a_block, self._same = recorded, a_block, same
        self._rng = np.random.default_rng(seed)
        self._next = {row: int(self._rng.integers(len(blocks))) for row, blocks in recorded.items()}
        self.now = 0.0

    def clock(self):
        return self.now

    def way_of(self, row):
        """Does nothing, because the row was measured already."""

    def measure(self, row, is_control=False):
        self.now += self._a_block
        key = "control" if is_control else row.name
        blocks = self._recorded[key]
        values = blocks[self._next[key] % len(blocks)]
        self._next[key] += 1
        if self._same or is_control:
            values = values * self._rng.choice((-1.0, 1.0))
        sides = {"base": {}, "head": {}}
        for timed, q in zip(row.figures, values):
            better = -1 if timed.rule.higher_is_better else 1
            sides["base"][timed.rule.statistic] = 1.0
            sides["head"][timed.rule.statistic] = math.exp(better * q)
        return {side: [{"name": row.name, **slot}] for side, slot in sides.items()} | {"coin": 0}


def recorded_blocks(gates):
    """Returns {row: blocks x figures} of gates in the form that ci/proof keeps."""
    found = {}
    for gate in gates:
        for row in gate["timed"]:
            if row["blocks"]:
                found.setdefault(row["row"], []).extend(row["blocks"])
    return {row: np.asarray(blocks) for row, blocks in found.items()}


def replay_gates(gates, settings, count, same):
    """Returns the verdicts of `count` replays of these recorded gates of one scenario."""
    recorded = recorded_blocks(gates)
    a_block = float(np.median([gate["a_block"] for gate in gates]))
    names = [row for row in recorded if row != "control"]
    nothing = types.SimpleNamespace(close=lambda: None)
    verdicts = []
    for seed in range(count):
        blocks = RecordedBlocks(recorded, a_block, same, seed)
        rows, control = timed_rows(names, settings), control_row(settings)
        result = GateResult(None, None, settings, rows=rows, control=control)
        result.timing_seconds, result.highest_log_e = decide(blocks, nothing, rows, control, settings, seed,
                                                             lambda _: None, clock=blocks.clock)
        verdicts.append(result.verdict)
    return verdicts


def rate(hits, of):
    """Returns a count as text, with the interval of 95 % of the probability in percent."""
    low, high = binomial_interval(hits, of)
    return f"{hits} of {of} ({100 * low:.1f} to {100 * high:.1f} %)"


def binomial_interval(hits, of, confidence=0.95):
    """Returns (low, high) of a probability, by Clopper and Pearson."""
    def bound(tail_of, hits_or_more):
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            too_small = tail_of(middle) < (1 - confidence) / 2
            low, high = (middle, high) if too_small == hits_or_more else (low, middle)
        return (low + high) / 2

    def at_most(k, p):
        if p in (0.0, 1.0):
            return float(p == 0.0 or k >= of)
        logs = [math.lgamma(of + 1) - math.lgamma(i + 1) - math.lgamma(of - i + 1) + i * math.log(p) +
                (of - i) * math.log1p(-p) for i in range(k + 1)]
        return min(1.0, math.fsum(map(math.exp, logs)))

    low = 0.0 if hits == 0 else bound(lambda p: 1 - at_most(hits - 1, p), True)
    high = 1.0 if hits == of else bound(lambda p: at_most(hits, p), False)
    return low, high
