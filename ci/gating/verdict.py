"""What a gate found, and the verdict that follows from it."""

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
    """Everything that the reports tell. `rows` and `control` are TimedRow; the control may be None."""
    base: object  # Build
    head: object
    settings: object
    seed: int = 0
    inject: str = ""
    exact: object = None  # ExactResult
    changes: list = field(default_factory=list)  # of exact figures, with the reasons of those acknowledged
    unused: list = field(default_factory=list)  # entries of the file of acknowledged changes
    stale: list = field(default_factory=list)  # those that base's own file has, which do not count
    rows: list = field(default_factory=list)
    control: object = None
    timing_seconds: float = 0.0
    highest_log_e: float = -math.inf  # of the mean E of all figures, whenever that was
    machine: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    @property
    def unacknowledged(self):
        return [change for change in self.changes if not change.why]

    @property
    def timed(self):
        """The figures that are judged in time, of all rows."""
        return [timed for row in self.rows for timed in row.figures]

    def timed_with(self, verdict):
        return [timed for timed in self.timed if timed.verdict == verdict]

    @property
    def alarms(self):
        """Whether the timed figures together say that some are slower, be it that none does alone."""
        return self.highest_log_e >= math.log(1 / self.settings.false_alarms)

    @property
    def fit(self):
        """Whether the control, one binary on both sides, came out as it must."""
        return self.control is None or self.control.verdict == PASS

    @property
    def unsettled_in_head(self):
        """Exact figures that repeat in base and only sometimes in head."""
        return self.exact.unsettled_in_head if self.exact else []

    @property
    def verdict(self):
        """Exact figures do not care how noisy a machine is; times are worth what the control is."""
        if self.unacknowledged:
            return REGRESSION
        if not self.fit:
            return UNFIT
        if self.alarms or self.timed_with(REGRESSION):
            return REGRESSION
        return INCONCLUSIVE if self.timed_with(INCONCLUSIVE) or self.unsettled_in_head else PASS


class Machine:
    """What the machine did beside the gate, from its making to facts()."""

    def __init__(self):
        self._ticks = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            return [int(word) for word in file.readline().split()[1:9]]

    def facts(self):
        ticks = [now - then for now, then in zip(self._read(), self._ticks)]
        return {
            "host": platform.node(),
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cpus": len(os.sched_getaffinity(0)),
            "load_average": round(os.getloadavg()[0], 1),
            "steal_percent": round(100 * ticks[7] / max(sum(ticks), 1), 2),
        }
