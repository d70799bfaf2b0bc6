"""Slowdowns of known size in the head's server, to see whether a gate finds what it promises to find."""

import re
import statistics

from .errors import GateError
from .rows import figure

KINDS = ("syscall", "alloc", "bytes")
PROBES = 5  # slots of a row that tell how long its calls take


class Injection:
    """What --inject asks for: spin:<percent>% of each row's time, spin:<nanoseconds>, or one of KINDS."""

    def __init__(self, text):
        """Throws GateError for anything else."""
        self.text = text
        spin = re.fullmatch(r"spin:(?:(\d+(?:\.\d+)?)%|(\d+))", text)
        if not spin and text not in KINDS:
            raise GateError(f"--inject: {text!r} is none of spin:5%, spin:500 (ns), {', '.join(KINDS)}")
        self._share = float(spin[1]) / 100 if spin and spin[1] else None

    def fits(self, row):
        """Whether the row's server can be slowed down so: the bare loop and those in Python can't, and
        tcp's bytes are fixed."""
        return not re.search("^Floor/|/(pyrpyc|flask)_" + ("|/tcp_" if self.text == "bytes" else ""), row)

    @property
    def of_every_row(self):
        """What servers of the exact tier are told; a share of a time that they have not is nothing."""
        return "" if self._share is not None else self.text

    def for_row(self, row, probe):
        """What the head's server is told for a TimedRow, and the share of its time that this is, None if
        nobody knows; `probe` runs a slot of the base."""
        if self._share is None:
            return self.text, None
        slots = [probe(row) for _ in range(PROBES)]
        return f"spin:{round(self._share * statistics.median(map(self._cost_ns(row), slots)))}", self._share

    @staticmethod
    def _cost_ns(row):
        """Of one operation: its time, or where rates count the CPU time that it keeps others from."""
        if not row.rule.higher_is_better:
            return lambda slot: 1000 * figure(slot, row.rule.statistic, "base")
        return lambda slot: 1000 * (figure(slot, "client_cpu_us", "base") +
                                    figure(slot, "server_cpu_us", "base"))
