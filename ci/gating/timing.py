"""The timing tier's measurements: blocks of short runs of a row, and the figures that are taken from them.

A block is some slots of one row close in time, as many of each build, in pairs of one of each; a fair coin says
which is first in the first pair. A row that lives on one CPU (placement shared) takes turns between two CPUs, a pair on
each. Of each side the best slot counts, if the rule does not want the mean of all: on a shared machine a neighbour
slows a CPU by a third, for tenths of a second and at any time, and many short slots meet a quiet moment more surely
than few long ones. A stall that only some slots have shows in their mean alone.

The builds never run at once. On a CPU each they would share caches and memory, so that a head that needs more of them
slows base down as well, and hides it.

All programs are started anew for each round: where the kernel happens to put a program's stack and heap is worth half a
percent to it as long as it lives. Its code stays where the page cache has the file, for the whole gate. Programs that
start in the same way from copies that were made in the same way are exchangeable, whatever luck each has, and that is
what makes the sign of a block fair.
"""

import math
import os
import statistics
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from common.topology import choose_pair  # of tools/

from .errors import GateError
from .resident import PATIENCE, Resident
from .rows import check_same, figure, label_of
from .sequential import INCONCLUSIVE, PASS, REGRESSION, FigureTest, Limits, detectable, median_interval

# Of a block in which a slot had too few calls for the row's percentile, be it interrupted or much slower.
FALLBACK = "real_time"
LONGER = 4  # times, slots of rows that have too few calls for their statistic in one of the usual length


@dataclass
class Block:
    """One block of one figure: the slots' values of each side in order."""
    base: list
    head: list
    rule: object  # TimingRule

    @property
    def q(self):
        """By how much head is worse than base, as a logarithm."""
        counts = statistics.fmean if self.rule.of_slots == "mean" else max if self.rule.higher_is_better else min
        worse = math.log(counts(self.head) / counts(self.base))
        return -worse if self.rule.higher_is_better else worse


@dataclass
class TimedFigure:
    """A statistic of a row: how far it may move, its blocks and its test. `name` is the row's."""
    name: str
    rule: object
    limits: Limits
    blocks: list = field(default_factory=list)
    injected_share: float = None  # of its value, if that is known

    _could_catch: float = None

    def __post_init__(self):
        self.test = FigureTest(self.limits)

    @property
    def verdict(self):
        return self.test.verdict

    @property
    def change(self):
        """The blocks' median as a share, above 0 is worse; and its interval. Only of a figure with blocks."""
        return math.expm1(median_interval(self.test.blocks)[0])

    @property
    def interval(self):
        return tuple(math.expm1(bound) for bound in median_interval(self.test.blocks)[1:])

    def could_catch(self, max_blocks):
        """The smallest slowdown, a share, that 95 % of gates with this noise would find; None if none."""
        if self._could_catch is None:
            found = detectable(self.limits, self.test.blocks, max_blocks, gates=100)
            self._could_catch = math.inf if found is None else found
        return None if self._could_catch == math.inf else self._could_catch

    def add(self, base_slots, head_slots):
        """Takes its values from a block's slots, which are the framework's rows. Throws GateError for a base
        that has none at all, in this block and before."""
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
    """A row of the tier: its figures, the framework's rows of all its slots, and the coin of each block."""
    name: str
    figures: list  # of TimedFigure
    base_slots: list = field(default_factory=list)
    head_slots: list = field(default_factory=list)
    coins: list = field(default_factory=list)  # a block: 0 or 1
    inject: str = ""  # into head's server, for this row

    @property
    def verdict(self):
        """A regression if one figure is, passed if all are."""
        verdicts = {timed.verdict for timed in self.figures}
        if REGRESSION in verdicts:
            return REGRESSION
        return PASS if verdicts == {PASS} else INCONCLUSIVE

    @property
    def log_e(self):
        """The evidence of its figure that looks slowest."""
        return max(timed.test.evidence[0] for timed in self.figures)

    @property
    def alarm_at(self):
        return max(timed.limits.alarm_at for timed in self.figures)

    def add(self, block):
        """Adds a block, as Blocks measures it."""
        for timed in self.figures:
            timed.add(block["base"], block["head"])
        self.base_slots += block["base"]
        self.head_slots += block["head"]
        self.coins.append(block["coin"])


class Residents:
    """The resident programs by build, CPUs and length of slots, started when they are first asked for. What is
    measured for the control has some of its own: a program that has served more rows than its opponent is another
    one."""

    def __init__(self, flags):
        self._flags = flags
        self._running = {}

    def get(self, build, cpus, slot_seconds, for_control=False):
        key = (build.folder, tuple(sorted(cpus)), slot_seconds, for_control)
        if key not in self._running:
            flags = [*self._flags, f"--benchmark_min_time={slot_seconds}"]
            self._running[key] = Resident(build, cpus, flags)
        return self._running[key]

    def close(self, patience=PATIENCE):
        """Ends all of them, who have so many seconds each to do it by themselves."""
        while self._running:
            self._running.popitem()[1].close(patience)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.close(0 if failure else PATIENCE)


class Way(NamedTuple):
    """How a row is run: on one CPU after another or on all, for how long, and how often, if that can be named. A
    framework that has to find that out runs the row three times for each slot."""
    one_cpu: bool
    slot_seconds: float
    iterations: int


class Blocks:
    """Measures blocks of rows of two builds."""

    def __init__(self, residents, base, head, control, coins, settings):
        """`control` is the copy of base that the control holds against it; `coins` a random.Random."""
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
        """A block of the row, for its add(): the slots' rows of each side, and what the coin said."""
        head = self._control if is_control else self._head
        sides = [("base", self._base, ""), ("head", head, row.inject)]
        block = {"base": [], "head": [], "coin": self._coins.randrange(2)}
        if block["coin"]:
            sides.reverse()
        way = self.way_of(row)
        for number in range(self._settings.slots):
            cpus = {self._pair[number % 2]} if way.one_cpu else self._all_cpus
            # Where each CPU gets its pairs in turn, so that neither build is always first on one.
            swapped = number // 2 % 2 if way.one_cpu else number % 2
            for side, build, inject in sides[::-1] if swapped else sides:
                block[side].append(self._run(build, cpus, way.slot_seconds, row.name, inject, is_control,
                                             way.iterations))
        for ours, theirs in zip(block["base"], block["head"]):
            check_same(ours, theirs, injected=bool(row.inject))
        return block

    def probe(self, row):
        """A single slot of base."""
        return self._run(self._base, self._all_cpus, self.way_of(row).slot_seconds, row.name)

    def way_of(self, row):
        """The Way of a row; asked for the first time, it is found out by a slot of base."""
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
