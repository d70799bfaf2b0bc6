"""Rows of one name that were measured under several conditions: what each condition changes."""

import re

from ..blocks import Axis, Cell, Chart, Folded, Panel, Series, Table
from ..palette import LIGHT
from ..results import RATES, mode_order
from ..units import micros, number, rate, size

ID = "sweep"
TITLE = "Swept conditions"
LEAD = ("Rows measured under several conditions, as tools/sweep makes them: a line for each value "
        "of one condition, a panel for each mode and each value of the others. All other sections "
        "but the last two show the first condition of each row.")
NEEDS = "No row was measured under several conditions."
SIZED = re.compile(r"(.*?)[/:]?(\d+)$")
NUMERIC = ("chunk_bytes", "requests_per_client", "connections", "slo_us")  # labels to draw along
READ = {"micros": micros, "rate": rate, "count": number}


def swept(rows):
    """{label: its values in their order} of those labels that differ between rows of one name."""
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
    """(what is drawn of a row, its axis)"""
    if row.kind in RATES:
        return row.get("items_per_second"), Axis("calls per second", "rate")
    if row.get("bytes_per_second") and row.kind != "Latency":
        return row.get("bytes_per_second") / 1e6, Axis("MB/s", "count")
    return row.get("p50_us"), Axis("", "micros")


def axes_of(rows, conditions):
    """(axis, label to draw along, or None for the number that the names end in), or (None, None)."""
    ends = {match[2] for row in rows if (match := SIZED.match(row.op))}
    along = max((key for key in conditions if key in NUMERIC),
                key=lambda key: len(conditions[key]), default=None)
    if along and len(conditions[along]) >= len(ends):
        return Axis(along.replace("_", " "), "bytes" if "bytes" in along else "count"), along
    if len(ends) < 2:
        return None, None
    clients = any("clients:" in row.op for row in rows)
    return (Axis("clients", "count") if clients else Axis("payload", "bytes")), None


def said(row, keys):
    return " ".join(f"{key}={row.labels[key]}" for key in keys if key in row.labels)


def chart(title, rows, conditions):
    """The chart of one operation's rows, or None if there is nothing to draw along."""
    x_axis, along = axes_of(rows, conditions)
    if x_axis is None:
        return None
    rest = {key: values for key, values in conditions.items() if key != along}
    line = max((key for key in rest if len(rest[key]) <= len(LIGHT)),
               key=lambda key: len(rest[key]), default=None)
    others = [key for key in rest if key != line]
    if along:  # the names' numbers are as good as a condition
        others = ["", *others]
    panels = {}
    for row in sorted(rows, key=lambda row: mode_order(row.mode)):
        end = SIZED.match(row.op)[2] if SIZED.match(row.op) else ""
        value, _ = height(row)
        if not value:
            continue
        x = float(row.labels[along]) if along else float(end)
        name = ", ".join(filter(None, (row.mode, size(int(end)) if along and end else "",
                                       said(row, others))))
        key = f"{line}={row.labels[line]}" if line in row.labels else title
        panels.setdefault(name, {}).setdefault(key, []).append((x, value))
    order = [f"{line}={value}" for value in rest.get(line, ())] + [title]
    return Chart(f"sweep-{title}", title, [
        Panel(name, [Series(key, sorted(lines[key])) for key in order if key in lines])
        for name, lines in panels.items()], x_axis, height(rows[0])[1])


def table(rows, conditions):
    """Names × combinations of conditions."""
    columns = dict.fromkeys(said(row, conditions) for row in rows)
    cells = {}
    for row in rows:
        value, axis = height(row)
        cells.setdefault(row.name, {})[said(row, conditions)] = Cell(
            READ[axis.ticks](value) + (f" {axis.label}" if axis.ticks == "count" else ""))
    return Table(["row", *columns], [[Cell(name), *(found.get(column, Cell(""))
                                                     for column in columns)]
                                     for name, found in cells.items()])


def blocks(result):
    groups = {}
    for row in result.rows:
        if row.kind != "Compression":  # whose condition is its name
            variant = SIZED.match(row.op)[1] if SIZED.match(row.op) else row.op
            groups.setdefault("/".join(filter(None, (row.kind, variant))), []).append(row)
    charts, tables = [], []
    for title, rows in groups.items():
        if conditions := swept(rows):
            charts.append(chart(title, rows, conditions))
            tables.append(table(rows, conditions))
    return [*filter(None, charts), Folded("The numbers", tables)] if tables else []
