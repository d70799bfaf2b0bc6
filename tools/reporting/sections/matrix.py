"""Shows modes × types: the cost of each, as a multiple of plain TCP doing the same."""

import math

from ..blocks import Cell, Folded, Table
from ..units import micros, operation, ratio

ID = "matrix"
TITLE = "Cost compared with the floor"
LEAD = ("How many times a row takes what plain TCP takes for the same operation, with a thread for "
        "each connection: floor_ratio, the median over pairs of short measurements in turns. For "
        "Concurrent and Compute it is the time per answer of all clients together. "
        "1 × is the floor itself; † has doubts, see Environment, placement and validity.")
NEEDS = "No row was measured in pairs with its floor: measure without --no_pairs."
FEW_MODES = 3
WITHOUT_OPERATION = {"Connection": "first reply", "Isolation": "outage"}
FULL = 100  # the ratio that has the deepest colour


def heat(value, full):
    """Returns the tint of a ratio by orders of magnitude: none within 2 %, ±1 from `full` on."""
    if not value or abs(value - 1) < 0.02:
        return 0.0
    return max(-1.0, min(1.0, math.log(value) / math.log(full)))


def cell(row):
    """Returns the cell of a row's ratio to the floor; empty without a row."""
    if row is None:
        return Cell("")
    value, low, high = (row.get(f"floor_ratio{end}") for end in ("", "_low", "_high"))
    interval = f", {ratio(low)} to {ratio(high)}" if low and high else ""
    doubts = "; " + ", ".join(row.doubts) if row.doubts else ""
    return Cell(ratio(value) + ("†" if row.doubts else ""), heat(value, FULL),
                f"{row.name}: {micros(row.cost)}{interval}{doubts}")


def with_floor(result):
    """Returns {(type, operation): {mode: row}}, without operations that only the floor has."""
    found = {}
    for row in result.rows:
        if row.get("floor_ratio"):
            found.setdefault((row.kind, row.op), {}).setdefault(row.mode, row)
    return {key: rows for key, rows in found.items() if set(rows) != {"tcp_threaded"}}


def chosen(operations):
    """Returns the columns of the matrix: for each type, the operations that most modes have.

    It leaves types that vary an axis in only a few modes to the table of all operations.
    """
    most = {}
    for (kind, _), rows in operations.items():
        most[kind] = max(len(rows), most.get(kind, 0))
    many = [kind for kind, modes in most.items() if modes > FEW_MODES] or list(most)
    return [key for key, rows in operations.items()
            if key[0] in many and len(rows) == most[key[0]]]


def matrix(result):
    """Returns the table of modes × chosen operations, or None."""
    operations = with_floor(result)
    keys = chosen(operations)
    modes = sorted({mode for key in keys for mode in operations[key]}, key=result.description.order)
    if not modes:
        return None
    kinds = [kind for kind, _ in keys]
    return Table(["mode", *(operation(op) or WITHOUT_OPERATION.get(kind, "") for kind, op in keys)],
                 [[Cell(mode), *(cell(operations[key].get(mode)) for key in keys)]
                  for mode in modes],
                 [("", 1), *((kind, kinds.count(kind)) for kind in dict.fromkeys(kinds))],
                 picture="matrix", title="Modes × types")


def blocks(result):
    table = matrix(result)
    if table is None:
        return []
    operations = with_floor(result)
    modes = sorted({mode for rows in operations.values() for mode in rows}, key=result.description.order)
    every = Table(["operation", *modes],
                  [[Cell("/".join(filter(None, key))),
                    *(cell(rows.get(mode)) for mode in modes)]
                   for key, rows in operations.items()])
    return [table, Folded(f"All operations: {len(operations)}", [every])]
