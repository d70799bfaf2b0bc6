"""The timing tier: blocks of short runs, row by row and round by round, until every row is decided.

A block is a dozen slots of one row close in time, as many of each build. Where the row lives on one CPU
(placement shared), both builds run at once on a CPU each and then change places, again and again; a row that
needs all CPUs runs base, head, head, base, … or the other way round. A fair coin says which. Of each side the best
slot counts: on a shared machine a neighbour slows a CPU by a third, for tenths of a second and at any
time, and many short slots meet a quiet moment more surely than few long ones.

All programs are started anew for each round: where the kernel happens to put a program's pages is worth half a
percent to it as long as it lives, and no coin could undo that luck if it stayed the same from block to block.
"""

import math
import os
import random
import time
from dataclasses import dataclass, field

from .errors import GateError
from .resident import PATIENCE, Resident
from .rows import check_same, figure, label_of
from .sequential import INCONCLUSIVE, Limits, RowTest, detectable, median_interval

# Of a block in which a slot had too few calls for the row's percentile, be it interrupted or much slower.
FALLBACK = "real_time"


@dataclass
class Block:
    """One block: the slots' figures of each side in order, and what the coin said."""
    base: list
    head: list
    coin: int
    higher_is_better: bool = False

    @property
    def q(self):
        """By how much head's best is worse than base's, as a logarithm."""
        best = max if self.higher_is_better else min
        worse = math.log(best(self.head) / best(self.base))
        return -worse if self.higher_is_better else worse


@dataclass
class TimedRow:
    """A row of the tier: its test, its blocks, and the framework's rows of all its slots."""
    name: str
    rule: object
    limits: Limits
    blocks: list = field(default_factory=list)
    base_slots: list = field(default_factory=list)
    head_slots: list = field(default_factory=list)
    inject: str = ""  # into head's server, for this row
    injected_share: float = None  # of its time, if that is known

    _could_catch: float = None

    def __post_init__(self):
        self.test = RowTest(self.limits)

    @property
    def verdict(self):
        return self.test.verdict

    @property
    def change(self):
        """The blocks' median as a share, above 0 is worse; and its interval. Only of a row with blocks."""
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

    def add(self, block):
        self.blocks.append(block)
        self.test.add(block.q)


class Residents:
    """The resident programs by build and CPUs, started when they are first asked for. What is measured for
    the control has some of its own: a program that has served more rows than its opponent is another one."""

    def __init__(self, flags):
        self._flags = flags
        self._running = {}

    def get(self, build, cpus, for_control=False):
        key = (build.folder, tuple(sorted(cpus)), for_control)
        if key not in self._running:
            self._running[key] = Resident(build, cpus, self._flags)
        return self._running[key]

    def close(self, patience=PATIENCE):
        """Ends all of them, who have so many seconds each to do it by themselves."""
        while self._running:
            self._running.popitem()[1].close(patience)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.close(0 if failure else PATIENCE)


def two_cpus(cpus):
    """Two of the CPUs, of different cores if there are; None of a single one."""
    ordered = sorted(cpus, reverse=True)
    if len(ordered) < 2:
        return None
    try:
        with open(f"/sys/devices/system/cpu/cpu{ordered[0]}/topology/thread_siblings", encoding="ascii") as file:
            siblings = int(file.read().replace(",", ""), 16)
    except (OSError, ValueError):
        siblings = 0
    others = [cpu for cpu in ordered[1:] if not siblings >> cpu & 1] or ordered[1:]
    return ordered[0], others[0]


class Blocks:
    """Measures blocks of rows of two builds."""

    def __init__(self, residents, base, head, control, coins, slots):
        """`control` is the copy of base that the control holds against it; `slots` of each build make a
        block."""
        self._residents, self._base, self._head, self._coins = residents, base, head, coins
        self._control = control
        self._slots = slots
        self._all_cpus = os.sched_getaffinity(0)
        self._pair = two_cpus(self._all_cpus)
        self._at_once = {}  # by row: whether a CPU is enough for it

    def measure(self, row, is_control=False):
        """Adds a block to the row."""
        head = self._control if is_control else self._head
        coin = self._coins.randrange(2)
        slots = {"base": [], "head": []}
        sides = [("base", self._base, ""), ("head", head, row.inject)]
        if coin:
            sides.reverse()
        at_once = self.runs_at_once(row)
        for number in range(self._slots):
            order = sides[::-1] if number % 2 else sides
            if at_once:
                begun = [(side, self._begin(build, {cpu}, row.name, inject, is_control))
                         for (side, build, inject), cpu in zip(order, self._pair)]
                for side, resident in begun:
                    slots[side].append(self._end(resident))
            else:
                for side, build, inject in order:
                    resident = self._begin(build, self._all_cpus, row.name, inject, is_control)
                    slots[side].append(self._end(resident))
        for ours, theirs in zip(slots["base"], slots["head"]):
            check_same(ours, theirs, injected=bool(row.inject))
        row.base_slots += slots["base"]
        row.head_slots += slots["head"]
        statistic, higher_is_better = row.rule.statistic, row.rule.higher_is_better
        if not any(statistic in slot for slot in row.base_slots):
            raise GateError(f"base: {row.name} has no {statistic}")
        if not all(statistic in slot for slot in slots["base"] + slots["head"]):
            statistic, higher_is_better = FALLBACK, False
        row.add(Block([figure(slot, statistic, "base") for slot in slots["base"]],
                      [figure(slot, statistic, "head") for slot in slots["head"]], coin, higher_is_better))

    def probe(self, row):
        """A single slot of base, alone."""
        return self._end(self._begin(self._base, self._all_cpus, row.name, inject=""))

    def runs_at_once(self, row):
        """Whether a CPU is enough for the row; asked for the first time, by a slot of base."""
        if row.name not in self._at_once:
            entries = label_of(self.probe(row)).split() if self._pair else ()
            self._at_once[row.name] = "placement=shared" in entries
        return self._at_once[row.name]

    def _begin(self, build, cpus, name, inject, for_control=False):
        resident = self._residents.get(build, cpus, for_control)
        resident.start(name, inject)
        return resident

    @staticmethod
    def _end(resident):
        return resident.result()[1]


def decide(blocks, residents, rows, control, settings, seed, tell):
    """Measures blocks of `rows` and of the control until all are decided, or have max_blocks, or the
    time is over. The control goes on as long as any row does. Returns the seconds it took."""
    begin = time.monotonic()
    order = random.Random(seed + 1)
    for row in (control, *rows):
        blocks.runs_at_once(row)  # not amid a round, whose programs must all have done the same
    for number in range(settings.max_blocks):
        undecided = [row for row in rows if row.verdict == INCONCLUSIVE]
        if not undecided and control.verdict != INCONCLUSIVE:
            break
        residents.close()
        order.shuffle(undecided)
        tell(f"round {number + 1}: {len(undecided)} of {len(rows)} rows undecided")
        for row in (control, *undecided):
            if time.monotonic() - begin > settings.timing_seconds:
                return time.monotonic() - begin
            blocks.measure(row, is_control=row is control)
    return time.monotonic() - begin
