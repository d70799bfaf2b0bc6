"""Reads rows of result files for the gate: labels, units, figures, and what must agree on both sides."""

import math

from common import description
from common.result_rows import split_name

from .errors import GateError

OPTIMISED = ("Release", "RelWithDebInfo")
TIMES = ("real_time", "cpu_time")  # in the row's time_unit; the names of counters have their units


def is_native(row):
    """Returns whether a native server answers in the row of this name: neither one in Python nor the bare loop."""
    mode = description.own().modes.get(split_name(row)[1])
    return mode is not None and not mode["python"]


def label_of(row, injected=False):
    """Returns the conditions in the row's label, without doubts and without what the gate injects."""
    return " ".join(entry for entry in row.get("label", "").split()
                    if not entry.startswith("doubts=")
                    and not (injected and entry.startswith("inject=")))


def doubts_of(row):
    for entry in row.get("label", "").split():
        if entry.startswith("doubts="):
            return entry.removeprefix("doubts=")
    return ""


def check_build(context, where):
    """Raises GateError unless a result's context describes a build that is worth measuring."""
    build_type, sanitizer = context.get("suite_build_type"), context.get("sanitizer")
    if build_type not in OPTIMISED or sanitizer:
        built = f"with -fsanitize={sanitizer}" if sanitizer else f"as {build_type}"
        raise GateError(f"{where}: built {built}, which says nothing about {OPTIMISED[0]}")


def figure(row, name, where):
    """Returns a counter or time of the row, a finite number above 0. Raises GateError that names `where`."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GateError(f"{where}: {row['name']} has no {name}")
    if not math.isfinite(value) or value <= 0:
        raise GateError(f"{where}: {row['name']}: {name} is {value}")
    return float(value)


def check_same(base, head, injected=False):
    """Raises GateError unless the two rows were measured in one unit and under the same conditions."""
    units = base.get("time_unit"), head.get("time_unit")
    if units[0] != units[1]:
        raise GateError(f"{base['name']}: time_unit is {units[0]} in base, {units[1]} in head")
    ours, theirs = label_of(base), label_of(head, injected)
    if ours != theirs:
        raise GateError(f"{base['name']}: measured as {ours!r} in base, as {theirs!r} in head")
