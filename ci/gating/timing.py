"""Measures for the timing tier: blocks of short runs of a row, and the figures that are taken from them.

A block has several slots of one row close in time, as many of each build, in pairs of one of each. A fair coin decides
which build is first in the first pair. A row with placement shared takes turns between two CPUs, with a pair on each.
For each side the best slot counts, unless the rule asks for the mean of all. On a shared machine a neighbour slows a
CPU by a third, for tenths of a second and at any time. Many short slots are more likely to meet a quiet moment than a
few long ones. A stall that only some slots have shows only in their mean.

The builds never run at once. On a CPU each they would share caches and memory. A head that needs more of them would
then slow base down as well, which hides the difference.

All programs are started again for each round: where the kernel puts a program's stack and heap changes its speed by
half a percent for its whole life. Its code stays where the page cache has the file, for the whole gate. Programs that
start in the same way from copies made in the same way are exchangeable, whatever luck each has. That makes the sign of
a block fair.
"""

import math
import os
import statistics
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from common.resident import PATIENCE, Resident  # in tools/
from common.topology import choose_pair

from .errors import GateError
from .rows import check_same, figure, label_of
from .sequential import INCONCLUSIVE, PASS, REGRESSION, FigureTest, Limits, detectable, median_interval

# The statistic of a block in which a slot had too few calls for the row's percentile, because it was interrupted or
# much slower.
FALLBACK = "real_time"
LONGER = 4  # factor for slots of rows that have too few calls for their statistic in a slot of the usual length


@dataclass
class Block:
    """A block of one figure: the slots' values of each side in order."""
    base: list
    head: list
    rule: object  # TimingRule

    @property
    def q(self):
        """How much head is worse than base, as a logarithm."""
        counts = statistics.fmean if self.rule.of_slots == "mean" else max if self.rule.higher_is_better else min
        worse = math.log(counts(self.head) / counts(self.base))
        return -worse if self.rule.higher_is_better else worse


@dataclass
class TimedFigure:
    """A statistic of a row, with its rule, its blocks and its test; `name` is the row's."""
    name: str
    rule: object
    limits: Limits
    blocks: list = field(default_factory=list)
    injected_share: float = None  # the injected slowdown as a share of its value, if known

    _could_catch: float = None

    def __post_init__(self):
        self.test = FigureTest(self.limits)

    @property
    def verdict(self):
        return self.test.verdict

    @property
    def change(self):
        """The blocks' median as a share, and its interval; above 0 is worse. Needs at least one block."""
        return math.expm1(median_interval(self.test.blocks)[0])

    @property
    def interval(self):
        return tuple(math.expm1(bound) for bound in median_interval(self.test.blocks)[1:])

    def could_catch(self, max_blocks):
        """Returns the smallest slowdown, a share, that 95 % of gates with this noise would find, or None."""
        if self._could_catch is None:
            found = detectable(self.limits, self.test.blocks, max_blocks, gates=100)
            self._could_catch = math.inf if found is None else found
        return None if self._could_catch == math.inf else self._could_catch

    def add(self, base_slots, head_slots):
        """Adds a block's slots, which are Google Benchmark's rows.

        Raises GateError if base has had no value at all, in this block and before.
        """
        rule = self.rule
        if not self.blocks and not any(rule.statistic in slot for slot in base_slots):
            raise GateError(f"base: {self.name} has no {rule.statistic}")
        if not all(rule.statistic in slot for slot in base_slots + head_slots):
            rule = replace(rule, statistic=FALLBACK)
        block = Block([figure(slot, rule.statistic, "base") for slot in base_slots],
                      [figure(slot, rule.statistic, "head") for slot in head_slots], rule)
        self.blocks.append(block)
        self.test.add(block.q)


@dataclass
class TimedRow:
    """A row of the tier: its figures, Google Benchmark's rows of all its slots, and the coin of each block."""
    name: str
    figures: list  # TimedFigures
    base_slots: list = field(default_factory=list)
    head_slots: list = field(default_factory=list)
    coins: list = field(default_factory=list)  # 0 or 1 for each block
    inject: str = ""  # slowdown of head's server for this row

    @property
    def verdict(self):
        """A regression if one figure is, a pass if all are."""
        verdicts = {timed.verdict for timed in self.figures}
        if REGRESSION in verdicts:
            return REGRESSION
        return PASS if verdicts == {PASS} else INCONCLUSIVE

    @property
    def log_e(self):
        """The evidence of the figure that looks slowest."""
        return max(timed.test.evidence[0] for timed in self.figures)

    @property
    def alarm_at(self):
        return max(timed.limits.alarm_at for timed in self.figures)

    def add(self, block):
        """Adds a block in the form that Blocks.measure returns."""
        for timed in self.figures:
            timed.add(block["base"], block["head"])
        self.base_slots += block["base"]
        self.head_slots += block["head"]
        self.coins.append(block["coin"])


class Residents:
    """Keeps resident programs by build, CPUs and length of slots, started when first needed.

    The control has programs of its own, because a process that has served more rows is no longer comparable.
    """

    def __init__(self, flags):
        self._flags = flags
        self._running = {}

    def get(self, build, cpus, slot_seconds, for_control=False):
        """Returns the resident program of a build on these CPUs, with slots of this length in seconds."""
        key = (build.folder, tuple(sorted(cpus)), slot_seconds, for_control)
        if key not in self._running:
            flags = [*self._flags, f"--benchmark_min_time={slot_seconds}"]
            self._running[key] = Resident(build.name, build.bench_all, flags, cpus)
        return self._running[key]

    def close(self, patience=PATIENCE):
        """Stops all processes; each gets `patience` seconds to exit on its own."""
        while self._running:
            self._running.popitem()[1].close(patience)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.close(0 if failure else PATIENCE)


class Way(NamedTuple):
    """Says how a row is run: on one CPU after another or on all, for how long, and how often.

    `iterations` is a fixed number if the build supports that. Otherwise the framework has to find it, and runs the row
    three times for each slot.
    """
    one_cpu: bool
    slot_seconds: float
    iterations: int


class Blocks:
    """Measures blocks of rows of two builds."""

    def __init__(self, residents, base, head, control, coins, settings):
        """`control` is the copy of base that the control compares it with; `coins` is a random.Random."""
        self._residents, self._base, self._head, self._coins = residents, base, head, coins
        self._control = control
        self._settings = settings
        self._all_cpus = os.sched_getaffinity(0)
        self._pair = choose_pair(self._all_cpus)
        if self._pair[1] is None:
            self._pair = None
        self._ways = {}
        self._can_be_named = all("iterations" in build.context.get("rows_on_request", "").split(",")
                                 for build in (base, head))

    def measure(self, row, is_control=False):
        """Measures a block of the row and returns it for TimedRow.add(): each side's slots and the coin."""
        head = self._control if is_control else self._head
        sides = [("base", self._base, ""), ("head", head, row.inject)]
        block = {"base": [], "head": [], "coin": self._coins.randrange(2)}
        if block["coin"]:
            sides.reverse()
        way = self.way_of(row)
        for number in range(self._settings.slots):
            cpus = {self._pair[number % 2]} if way.one_cpu else self._all_cpus
            # On one CPU each CPU gets its pairs in turn, so that neither build is always first on one.
            swapped = number // 2 % 2 if way.one_cpu else number % 2
            for side, build, inject in sides[::-1] if swapped else sides:
                block[side].append(self._run(build, cpus, way.slot_seconds, row.name, inject, is_control,
                                             way.iterations))
        for ours, theirs in zip(block["base"], block["head"]):
            check_same(ours, theirs, injected=bool(row.inject))
        return block

    def probe(self, row):
        """Measures and returns a single slot of base."""
        return self._run(self._base, self._all_cpus, self.way_of(row).slot_seconds, row.name)

    def way_of(self, row):
        """Returns the Way of a row; the first time, a slot of base determines it."""
        if row.name not in self._ways:
            seconds = self._settings.slot_seconds
            slot = self._run(self._base, self._all_cpus, seconds, row.name)
            if not all(timed.rule.statistic in slot for timed in row.figures):
                seconds *= LONGER
                slot = self._run(self._base, self._all_cpus, seconds, row.name)
            one_cpu = bool(self._pair) and "placement=shared" in label_of(slot).split()
            self._ways[row.name] = Way(one_cpu, seconds, slot.get("iterations") if self._can_be_named else None)
        return self._ways[row.name]

    def _run(self, build, cpus, slot_seconds, name, inject="", for_control=False, iterations=None):
        resident = self._residents.get(build, cpus, slot_seconds, for_control)
        resident.start(name, inject, iterations)
        return resident.result()[1]
