"""Shows what a call costs in countable things, which need no clock: the ledger and the wire."""

from ..blocks import Cell, Folded, Table
from ..units import exact

ID = "ledger"
TITLE = "Ledger of a call"
LEAD = ("System calls and allocations are counted by tracing ten calls after the timed ones. They "
        "repeat to the unit where exact says so, and are means elsewhere (~). Bytes and round "
        "trips are those that the client saw. C is the client, S the server.")
NEEDS = "No row has a ledger: measure with --ledger, or with the preset default, which includes it."
COLUMNS = (("round_trips", "round trips"), ("wire_bytes_out", "out"), ("wire_bytes_in", "in"),
           ("client_syscalls", "C"), ("server_syscalls", "S"),
           ("client_allocations", "C"), ("server_allocations", "S"),
           ("client_allocated_bytes", "C"), ("server_allocated_bytes", "S"))
GROUPS = [("", 2), ("wire bytes", 2), ("system calls", 2), ("allocations", 2),
          ("bytes allocated", 2), ("", 1)]
FIRST = ("ping", "ping_callattr")


def table(rows, picture="", title=""):
    return Table(["row", *(name for _, name in COLUMNS), "exact"],
                 [[Cell(row.name), *(Cell(exact(row.get(counter))) for counter, _ in COLUMNS),
                   Cell("exact" if row.get("ledger_exact") == 1 else "~")] for row in rows],
                 GROUPS, picture=picture, title=title)


def blocks(result):
    rows = [row for row in result.rows if row.get("client_syscalls") is not None]
    rows.sort(key=lambda row: result.description.order(row.mode))
    first = [row for row in rows if row.kind == "Latency" and row.op in FIRST] or rows[:12]
    rest = [row for row in rows if row not in first]
    if not rows:
        return []
    found = [table(first, "ledger", "Ledger of a ping")]
    return found + ([Folded(f"More rows: {len(rest)}", [table(rest)])] if rest else [])
