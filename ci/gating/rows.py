"""Rows of result files as the gate reads them: labels, units, figures, and what must agree on both sides."""

import math

from .errors import GateError

TIMES = ("real_time", "cpu_time")  # in the row's time_unit; all counters have theirs in their name


def label_of(row, injected=False):
    """The conditions in the row's label, without doubts (and without what the gate itself injects)."""
    return " ".join(entry for entry in row.get("label", "").split()
                    if not entry.startswith("doubts=")
                    and not (injected and entry.startswith("inject=")))


def doubts_of(row):
    for entry in row.get("label", "").split():
        if entry.startswith("doubts="):
            return entry.removeprefix("doubts=")
    return ""


def figure(row, name, where):
    """A counter or time of the row, a finite number above 0; throws GateError that names `where`."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GateError(f"{where}: {row['name']} has no {name}")
    if not math.isfinite(value) or value <= 0:
        raise GateError(f"{where}: {row['name']}: {name} is {value}")
    return float(value)


def check_same(base, head, injected=False):
    """Throws GateError unless the two rows were measured in one unit and under the same conditions."""
    for key in ("time_unit",):
        if base.get(key) != head.get(key):
            raise GateError(f"{base['name']}: {key} is {base.get(key)} in base, {head.get(key)} in head")
    ours, theirs = label_of(base), label_of(head, injected)
    if ours != theirs:
        raise GateError(f"{base['name']}: measured as {ours!r} in base, as {theirs!r} in head")
