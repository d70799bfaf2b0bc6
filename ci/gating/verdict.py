"""Holds what a gate found, and derives the verdict."""

import math
import os
import platform
from dataclasses import dataclass, field

from .sequential import INCONCLUSIVE, PASS, REGRESSION

UNFIT = "unfit"
EXIT = {PASS: 0, REGRESSION: 1, INCONCLUSIVE: 3, UNFIT: 4}
TOOL_FAILED = 2


@dataclass
class GateResult:
    """Everything that the reports say. `rows` and `control` are TimedRows; the control may be None."""
    base: object  # Build
    head: object
    settings: object
    seed: int = 0
    inject: str = ""
    exact: object = None  # ExactResult
    changes: list = field(default_factory=list)  # of exact figures; acknowledged ones have their reasons
    unused: list = field(default_factory=list)  # acknowledged entries that no change needed
    stale: list = field(default_factory=list)  # acknowledged entries that base's own file has; they do not count
    rows: list = field(default_factory=list)
    control: object = None
    timing_seconds: float = 0.0
    highest_log_e: float = -math.inf  # the highest ln of the mean E of all figures
    machine: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    @property
    def unacknowledged(self):
        return [change for change in self.changes if not change.why]

    @property
    def timed(self):
        """The figures of all rows that are judged by time."""
        return [timed for row in self.rows for timed in row.figures]

    def timed_with(self, verdict):
        return [timed for timed in self.timed if timed.verdict == verdict]

    @property
    def alarms(self):
        """Whether the timed figures together show that some are slower, even if none does alone."""
        return self.highest_log_e >= math.log(1 / self.settings.false_alarms)

    @property
    def fit(self):
        """Whether the control, with one program on both sides, passed."""
        return self.control is None or self.control.verdict == PASS

    @property
    def unsettled_in_head(self):
        """The exact figures that repeat in base and only sometimes in head."""
        return self.exact.unsettled_in_head if self.exact else []

    @property
    def verdict(self):
        """The verdict: exact figures count on any machine, times only if the control passed."""
        if self.unacknowledged:
            return REGRESSION
        if not self.fit:
            return UNFIT
        if self.alarms or self.timed_with(REGRESSION):
            return REGRESSION
        return INCONCLUSIVE if self.timed_with(INCONCLUSIVE) or self.unsettled_in_head else PASS


class Machine:
    """Records what else the machine did, from construction to facts()."""

    def __init__(self):
        self._ticks = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            return [int(word) for word in file.readline().split()[1:9]]

    def facts(self):
        """Returns the machine's facts by name, and the share of stolen CPU time since construction."""
        ticks = [now - then for now, then in zip(self._read(), self._ticks)]
        return {
            "host": platform.node(),
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cpus": len(os.sched_getaffinity(0)),
            "load_average": round(os.getloadavg()[0], 1),
            "steal_percent": round(100 * ticks[7] / max(sum(ticks), 1), 2),
        }
