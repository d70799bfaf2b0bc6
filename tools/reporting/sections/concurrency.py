"""Shows how modes scale with clients: their total rate, and the latency of the slowest calls."""

import re

from ..blocks import Axis, Chart, Folded
from .percentiles import panels
from .throughput import sized_points

ID = "concurrency"
TITLE = "Concurrency and tail latency"
LEAD = ("Calls per second of all clients together, and below it the latency of single calls: p99 "
        "solid, p50 dashed. The grey line is plain TCP with a thread for each connection. A call "
        "of Compute works for 0.1 ms natively and for 10 ms in Python.")
NEEDS = "No row of Concurrent or Compute with at least two numbers of clients."
VARIANT = re.compile(r"(.*?)/?clients:(\d+)$")
OPEN = (("Concurrent", ""), ("Compute", ""))


def charts(kind, variant, rows):
    """Yields the charts of rate and tail latency of one variant's rows."""
    def at(counter):
        return lambda row: [(int(VARIANT.match(row.op)[2]), row.get(counter))] \
            if row.get(counter) else []

    name = "/".join(filter(None, (kind, variant)))
    clients = Axis("clients", "count")
    for slug, title, counter, axis, dashed in (
            ("rate", "calls per second", "items_per_second", Axis("", "rate"), None),
            ("tail", "p99 (solid) and p50 (dashed) of a call", "p99_us", Axis("", "micros"),
             at("p50_us"))):
        floor = sorted(point for row in rows if row.mode == "tcp_threaded"
                       for point in at(counter)(row))
        chart = Chart(f"concurrency-{name}-{slug}", f"{name}: {title}",
                      panels(rows, at(counter), floor, dashed), clients, axis)
        if len(sized_points(chart)) > 1:
            yield chart


def blocks(result):
    groups = {}
    for row in result.of("Concurrent", "Compute"):
        if match := VARIANT.match(row.op):
            groups.setdefault((row.kind, match[1]), []).append(row)
    drawn = {key: list(charts(*key, rows)) for key, rows in groups.items()}
    shown = [chart for key in OPEN for chart in drawn.get(key, [])]
    variants = {key: found for key, found in drawn.items() if found and key not in OPEN}
    rest = [chart for found in variants.values() for chart in found]
    if shown and rest:
        names = dict.fromkeys(variant for _, variant in variants)
        return [*shown, Folded(f"Variants: {', '.join(names)}", rest)]
    return shown or rest
