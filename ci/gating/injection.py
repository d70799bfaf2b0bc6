"""Slows the head's server by a known amount, to see whether a gate finds what it promises to find."""

import re
import statistics

from common import description
from common.result_rows import split_name

from .errors import GateError
from .rows import figure, is_native

PERCENT = r"\d+(?:\.\d+)?"
PROBES = 5  # slots of a row that show how long its calls take


class Injection:
    """Parses --inject, which applies to rows whose names match `rows`, a regular expression.

    It is spin:<percent>% of each row's time or spin:<nanoseconds>, both with an optional
    :<percent of calls>; or a system call, an allocation or a byte.
    """

    def __init__(self, text, rows=""):
        """Raises GateError for any other text."""
        self.text, self._rows = text, rows
        spin = re.fullmatch(rf"spin:(?:({PERCENT})%|\d+)(:{PERCENT})?", text)
        other = re.fullmatch(rf"bytes|(?:syscall|alloc)(:{PERCENT})?", text)
        shares = [*(spin.groups() if spin else ()), *(other.groups() if other else ())]
        if not (spin or other) or any(share and float(share.strip(":")) == 0 for share in shares):
            raise GateError(f"--inject: {text!r} is none of spin:5%, spin:500 (ns), spin:200000:1 (1 % of the calls), "
                            "syscall, alloc, bytes")
        self._share = float(spin[1]) / 100 if spin and spin[1] else None
        self._calls = (spin[2] or "") if spin else ""

    def hits(self, row):
        """Returns whether the row's server is to be slowed down, and can be.

        The bare loop and Python servers cannot, and the size of a tcp message is fixed.
        """
        return bool(re.search(self._rows, row) and is_native(row) and not (
            self.text == "bytes" and description.own().modes[split_name(row)[1]]["protocol"] == "tcp"))

    def hits_any(self, tiers, tier):
        """Returns whether a gate of that tier, or of both, slows down one of {"exact": rows, "timing": rows}."""
        return (tier != "timing" and any(map(self.when_counting, tiers["exact"])) or
                tier != "exact" and any(map(self.hits, tiers["timing"])))

    def when_counting(self, row):
        """Returns the row's slowdown in the exact tier; none for a share of a time, which is not known here."""
        return self.text if self._share is None and self.hits(row) else ""

    def give(self, row, probe):
        """Sets a TimedRow's slowdown, and for its figures the relative change that this makes, where known.

        `probe` runs a slot of the base.
        """
        if not self.hits(row.name):
            return
        if self._share is None:
            row.inject = self.text
            return
        slots = [probe(row) for _ in range(PROBES)]
        cost_ns = statistics.median(map(self._cost_ns(row.figures[0].rule), slots))
        row.inject = f"spin:{round(self._share * cost_ns)}{self._calls}"
        if not self._calls:
            row.figures[0].injected_share = self._share

    @staticmethod
    def _cost_ns(rule):
        """Returns a function of a slot: the ns of one operation, for a rate the CPU time that it takes."""
        def cost(slot):
            if not rule.higher_is_better:
                return 1000 * figure(slot, rule.statistic, "base")
            return 1000 * (figure(slot, "client_cpu_us", "base") + figure(slot, "server_cpu_us", "base"))
        return cost
