"""Shows each operation by the four pairs of native and Python clients and servers."""

from common.links import is_across

from ..blocks import Cell, Table
from ..units import micros
from .changes import in_pairs
from .matrix import heat

ID = "ends"
TITLE = "Python on either end"
LEAD = ("The cost of an operation by who calls whom: native or Python client, native or Python server, "
        "with a thread for each connection. ± is half of the interval of 99 % of the row's ratio to the "
        "probe. Tinted by comparison with native on both ends (times in pairs by that ratio).")
NEEDS = "No row of a Python client (PyLatency, PyObjects, PyConcurrent) together with a native one."
PAIRS = (("", False), ("", True), ("Py", False), ("Py", True))  # prefix of the type, Python server
COLUMNS = ("native → native", "native → Python", "Python → native", "Python → Python")
FULL = 100


def within(row):
    """Returns " ± 3 %" if the row's pairs give an interval, otherwise nothing."""
    if not row.ratio_interval or not row.get("probe_ratio"):
        return ""
    low, high = row.ratio_interval
    return f" ± {100 * (high - low) / 2 / row.get('probe_ratio'):.2g} %"


def cell(row, native):
    if row is None:
        return Cell("")
    key = "probe_ratio" if native and in_pairs((row, native)) else "p50_us"
    times = row.cost / native.cost if native and key == "p50_us" else (
        row.get(key) / native.get(key) if native else None)
    return Cell(micros(row.cost) + within(row) + ("†" if row.doubts else ""), heat(times, FULL), row.name)


def blocks(result):
    known = result.description
    family = {(known.protocol_of[mode.partition("_")[0]], facts["python"]): mode.partition("_")[0]
              for mode, facts in known.modes.items()}
    rows = {(row.kind, row.mode, row.op): row for row in reversed(result.rows)}
    lines = []
    for row in result.rows:
        if row.kind.startswith("Py") or row.model != "threaded" or is_across(row.kind):
            continue
        protocol = known.protocol_of.get(row.protocol)
        if family.get((protocol, False)) != row.protocol:
            continue
        found = [rows.get((prefix + row.kind, f"{family.get((protocol, python))}_threaded", row.op))
                 for prefix, python in PAIRS]
        if any(found[2:]):
            name = "/".join(filter(None, (row.kind, row.op)))
            lines.append([Cell(f"{name} by {protocol}"), *(cell(each, found[0]) for each in found)])
    if not lines:
        return []
    return [Table(["operation", *COLUMNS], lines, picture="ends", title="Client → server")]
