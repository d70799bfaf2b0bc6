"""Shows rows of one name measured under several conditions: what each condition changes."""

import math
import re

from common import description

from ..blocks import Axis, Cell, Chart, Folded, Panel, Series, Table
from ..palette import LIGHT
from ..units import micros, number, rate, size

ID = "sweep"
TITLE = "Swept conditions"
LEAD = ("Rows measured under several conditions, as tools/sweep does: a line for each value of one "
        "condition, a panel for each mode and the other conditions. The sections above show the "
        "first condition of each row.")
NEEDS = "No row was measured under several conditions."
MOST_COLUMNS = 12
NUMERIC = ("chunk_bytes", "requests_per_client", "connections", "slo_us")  # labels for the x axis
READ = {"micros": micros, "rate": rate, "count": number}


def ending(row):
    """Returns the number that the row's name ends in, as text; empty if there is none."""
    return re.search(r"\d*$", row.op)[0]


def swept(rows):
    """Returns {label: its values in order} for the labels that differ between rows of one name."""
    values, several = {}, set()
    for key in dict.fromkeys(key for row in rows for key in row.labels):
        of_name = {}
        for row in rows:
            if key in row.labels:
                values.setdefault(key, {})[row.labels[key]] = None
                of_name.setdefault(row.name, set()).add(row.labels[key])
        if any(len(found) > 1 for found in of_name.values()):
            several.add(key)
    return {key: list(found) for key, found in values.items() if key in several}


def height(row):
    """Returns the value to draw for a row, and its axis."""
    if row.is_rate:
        return row.get("items_per_second"), Axis("calls per second", "rate")
    if row.get("bytes_per_second") and row.kind != "Latency":
        return row.get("bytes_per_second") / 1e6, Axis("MB/s", "count")
    return row.get("p50_us"), Axis("", "micros")


def axes_of(rows, conditions):
    """Returns the x axis and the label that it shows, or None for the number that names end in.

    Both are None if there is nothing to draw along.
    """
    ends = {ending(row) for row in rows if ending(row)}
    along = widest({key: conditions[key] for key in NUMERIC if key in conditions}, math.inf)
    if along and len(conditions[along]) >= len(ends):
        return Axis(along.replace("_", " "), "bytes" if "bytes" in along else "count"), along
    if len(ends) < 2:
        return None, None
    counted = re.search(r"(\w+):\d+$", rows[0].op)  # clients:4
    return (Axis(counted[1], "count") if counted else Axis("payload", "bytes")), None


def said(row, keys):
    return " ".join(f"{key}={row.labels[key]}" for key in keys if key in row.labels)


def widest(conditions, most):
    """Returns the condition with most values, but at most `most` of them, or None."""
    return max((key for key, values in conditions.items() if len(values) <= most),
               key=lambda key: len(conditions[key]), default=None)


def chart(title, rows, conditions):
    """Returns the chart of one operation's rows, or None if there is nothing to draw along."""
    x_axis, along = axes_of(rows, conditions)
    if x_axis is None:
        return None
    rest = {key: values for key, values in conditions.items() if key != along}
    line = widest(rest, len(LIGHT))
    others = [key for key in rest if key != line]
    panels = {}
    for row in sorted(rows, key=lambda row: description.own().order(row.mode)):
        value, _ = height(row)
        end = ending(row)
        x = row.labels.get(along, "") if along else end
        if value and x.isdigit() and int(x):  # a logarithmic axis has no 0, such as an RTT of none
            held = size(int(end)) if along and end else ""
            name = ", ".join(filter(None, (row.mode, held, said(row, others))))
            panels.setdefault(name, {}).setdefault(said(row, [line]) or title, []).append(
                (int(x), value))
    order = [f"{line}={value}" for value in rest.get(line, ())] + [title]
    return Chart(f"sweep-{title}", title, [
        Panel(name, [Series(key, sorted(lines[key])) for key in order if key in lines])
        for name, lines in panels.items()], x_axis, height(rows[0])[1])


def table(rows, conditions):
    """Returns a table of rows and all conditions but one × the values of that one."""
    across = widest(conditions, MOST_COLUMNS)
    columns = dict.fromkeys(said(row, [across]) for row in rows)
    lines = {}
    for row in rows:
        value, axis = height(row)
        unit = f" {axis.label}" if axis.ticks == "count" else ""
        name = f"{row.name} {said(row, [key for key in conditions if key != across])}".strip()
        lines.setdefault(name, {})[said(row, [across])] = Cell(READ[axis.ticks](value) + unit)
    return Table(["row", *columns], [[Cell(name), *(found.get(column, Cell(""))
                                                    for column in columns)]
                                     for name, found in lines.items()])


def blocks(result):
    groups = {}
    for row in result.rows:
        if row.kind != "Compression":  # its name has the conditions
            variant = row.op.removesuffix(ending(row)).rstrip("/:")
            groups.setdefault("/".join(filter(None, (row.kind, variant))), []).append(row)
    charts, tables = [], []
    for title, rows in groups.items():
        if conditions := swept(rows):
            charts.append(chart(title, rows, conditions))
            tables.append(table(rows, conditions))
    return [*filter(None, charts), Folded("The numbers", tables)] if tables else []
