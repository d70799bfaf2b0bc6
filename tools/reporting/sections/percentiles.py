"""Shows latency percentile curves: how much slower the unlucky calls are in each mode."""

from common import description

from ..blocks import Axis, Cell, Chart, Folded, Panel, Series, Table
from ..units import micros, operation

ID = "percentiles"
TITLE = "Latency percentiles"
LEAD = ("One panel for each protocol, one line for each concurrency model; the grey line is plain "
        "TCP. A percentile is missing where a row has too few samples for it.")
NEEDS = "No row has more than one percentile; rows of Latency and Connection do."
COUNTERS = (("p50_us", "p50"), ("p95_us", "p95"), ("p99_us", "p99"), ("p999_us", "p99.9"),
            ("p9999_us", "p99.99"))
OPEN = ("Latency/ping", "Latency/echo/1024", "Connection/")  # these are not folded
KINDS = ("Latency", "Connection", "OpenLoop", "MaxRate")


def curve(row):
    return [(at, row.get(counter)) for at, (counter, _) in enumerate(COUNTERS)
            if row.get(counter)]


def panels(rows, points, floor=None, dashed=None):
    """Returns one panel for each protocol, with one series for each model.

    `points(row)` may be empty. `floor` has the points of a grey line. `dashed(row)`, if given,
    makes a second, dashed line for each model.
    """
    known, found = description.own(), []
    for protocol in known.families:
        series = []
        if floor and protocol != "tcp":
            series.append(Series("floor", floor))
        for model in known.models:
            group = [row for row in rows if (row.protocol, row.model) == (protocol, model)]
            for get, is_dashed in ((points, False), (dashed, True)):
                line = [point for row in group for point in get(row)] if get else []
                if line:
                    series.append(Series(model, sorted(line), is_dashed))
        if any(line.key != "floor" for line in series):
            found.append(Panel(protocol, series))
    return found


def chart(kind, op, rows):
    """Returns the chart of percentiles of one operation's rows."""
    floor = next((curve(row) for row in rows if row.mode == "tcp_threaded"), None)
    names = [name for _, name in COUNTERS]
    used = 1 + max(at for row in rows for at, _ in curve(row))
    name = f"{kind}/{op}".strip("/")
    return Chart(f"percentiles-{name}", operation(name), panels(rows, curve, floor),
                 Axis("percentile", "names", tuple(names[:used])), Axis("", "micros"))


def blocks(result):
    groups = {}
    for row in result.of(*KINDS):
        if len(curve(row)) > 1:
            groups.setdefault((row.kind, row.op), []).append(row)
    charts = [chart(*key, rows) for key, rows in groups.items()]
    shown = [f"{kind}/{op}" in OPEN or kind == "OpenLoop" for kind, op in groups]
    if charts and not any(shown):
        shown[0] = True
    found = [chart for chart, is_shown in zip(charts, shown) if is_shown]
    rest = [chart for chart, is_shown in zip(charts, shown) if not is_shown]
    if rest:
        found.append(Folded(f"More operations: {len(rest)}", rest))
    if charts:
        table = Table(["row", *(name for _, name in COUNTERS)],
                      [[Cell(row.name), *(Cell(micros(row.get(counter)) if row.get(counter) else "")
                                          for counter, _ in COUNTERS)]
                       for rows in groups.values() for row in rows])
        found.append(Folded("The numbers", [table]))
    return found
