"""Shows throughput by payload size: where fixed costs end and costs per byte begin."""

import re

from ..blocks import Axis, Chart
from .percentiles import panels

ID = "throughput"
TITLE = "Throughput by payload size"
LEAD = ("Payload bytes per second, both axes logarithmic. The grey line is plain TCP with a thread "
        "for each connection. Bandwidth keeps both ends on one CPU, BinaryTransfer does not.")
NEEDS = "No row of Bandwidth or BinaryTransfer."


def blocks(result):
    groups = {}
    for row in result.of("Bandwidth", "BinaryTransfer"):
        match = re.fullmatch(r"(\w+)/(\d+)", row.op)
        if match and row.get("bytes_per_second"):
            groups.setdefault((row.kind, match[1]), []).append((int(match[2]), row))
    found = []
    for (kind, way), sized in groups.items():
        sizes = {row.name: size for size, row in sized}
        rows = [row for _, row in sized]

        def points(row, sizes=sizes):
            return [(sizes[row.name], row.get("bytes_per_second") / 1e6)]

        floor = sorted(point for row in rows if row.mode == "tcp_threaded" for point in points(row))
        found.append(Chart(f"throughput-{kind}-{way}", f"{kind}: {way.replace('_', ' ')}",
                           panels(rows, points, floor), Axis("payload", "bytes"),
                           Axis("MB/s", "count")))
    return [chart for chart in found if len(sized_points(chart)) > 1]


def sized_points(chart):
    """Returns the set of sizes in a chart; a curve needs at least two."""
    return {x for panel in chart.panels for series in panel.series for x, _ in series.points}
