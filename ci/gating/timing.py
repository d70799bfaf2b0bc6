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

from .resident import PATIENCE, Resident
from .rows import check_same, figure, label_of
from .sequential import INCONCLUSIVE, Limits, RowTest, detectable, median_interval

# A slot that the machine interrupted for long may have too few calls for a percentile, and its block is
# dropped, which is as likely to hit one side as the other. A row that loses more has no such figure.
MAX_DROPPED = 8


@dataclass
class Block:
    """One block: the slots' figures of each side in order, and what the coin said."""
    base: list
    head: list
    coin: int

    def q(self, higher_is_better=False):
        """By how much head's best is worse than base's, as a logarithm."""
        best = max if higher_is_better else min
        worse = math.log(best(self.head) / best(self.base))
        return -worse if higher_is_better else worse


@dataclass
class TimedRow:
    """A row of the tier: its test, its blocks, and the framework's rows of all its slots."""
    name: str
    rule: object
    limits: Limits
    is_control: bool = False
    blocks: list = field(default_factory=list)
    base_slots: list = field(default_factory=list)
    head_slots: list = field(default_factory=list)
    dropped: int = 0  # blocks without a figure
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
        self.test.add(block.q(self.rule.higher_is_better))


class Residents:
    """The resident programs by build and CPUs, started when they are first asked for."""

    def __init__(self, flags):
        self._flags = flags
        self._running = {}

    def get(self, build, cpus):
        key = (build.folder, tuple(sorted(cpus)))
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

    def __init__(self, residents, base, head, coins, slots):
        """`slots` of each build make a block."""
        self._residents, self._base, self._head, self._coins = residents, base, head, coins
        self._slots = slots
        self._all_cpus = os.sched_getaffinity(0)
        self._pair = two_cpus(self._all_cpus)
        self._at_once = {}  # by row: whether a CPU is enough for it
        self.context = None  # of the latest slot

    def measure(self, row, head=None):
        """Adds a block to the row. `head` is another build than usual, for the control."""
        head = head or self._head
        coin = self._coins.randrange(2)
        slots = {"base": [], "head": []}
        sides = [("base", self._base, ""), ("head", head, row.inject)]
        if coin:
            sides.reverse()
        at_once = self._runs_at_once(row)
        for number in range(self._slots):
            order = sides[::-1] if number % 2 else sides
            if at_once:
                begun = [(side, self._begin(build, {cpu}, row.name, inject))
                         for (side, build, inject), cpu in zip(order, self._pair)]
                for side, resident in begun:
                    slots[side].append(self._end(resident))
            else:
                for side, build, inject in order:
                    slots[side].append(self._end(self._begin(build, self._all_cpus, row.name, inject)))
        for ours, theirs in zip(slots["base"], slots["head"]):
            check_same(ours, theirs, injected=bool(row.inject))
        row.base_slots += slots["base"]
        row.head_slots += slots["head"]
        statistic = row.rule.statistic
        complete = all(statistic in slot for slot in slots["base"] + slots["head"])
        if not complete and row.dropped < MAX_DROPPED:
            row.dropped += 1
        else:
            row.add(Block([figure(slot, statistic, "base") for slot in slots["base"]],
                         [figure(slot, statistic, "head") for slot in slots["head"]], coin))

    def probe(self, row, inject=""):
        """A single slot of base, alone."""
        return self._end(self._begin(self._base, self._all_cpus, row.name, inject))

    def _runs_at_once(self, row):
        if row.name not in self._at_once:
            entries = label_of(self.probe(row)).split() if self._pair else ()
            self._at_once[row.name] = "placement=shared" in entries
        return self._at_once[row.name]

    def _begin(self, build, cpus, name, inject):
        resident = self._residents.get(build, cpus)
        resident.start(name, inject)
        return resident

    def _end(self, resident):
        self.context, row = resident.result()
        return row


def decide(blocks, residents, rows, control, control_build, settings, seed, tell):
    """Measures blocks of `rows` and of the control until all are decided, or have max_blocks, or the
    time is over. The control goes on as long as any row does. Returns the seconds it took."""
    begin = time.monotonic()
    order = random.Random(seed + 1)
    for number in range(settings.max_blocks):
        undecided = [row for row in rows if row.verdict == INCONCLUSIVE]
        if not undecided and control.verdict != INCONCLUSIVE:
            break
        residents.close()
        order.shuffle(undecided)
        tell(f"round {number + 1}: {len(undecided)} of {len(rows)} rows undecided")
        blocks.measure(control, control_build)
        for row in undecided:
            if time.monotonic() - begin > settings.timing_seconds:
                return time.monotonic() - begin
            blocks.measure(row)
    return time.monotonic() - begin
