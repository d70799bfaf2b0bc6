"""Computes what rows cost at one speed of the machine, from their ratios to the probe.

A machine has phases of seconds in which everything is slower, so times of two rows are worth little
side by side. A row that was measured in pairs has its ratio to the probe (fixtures/README.md). That
ratio times the median probe of a run is what the row costs at the machine's median speed.
"""

import statistics

from . import description
from .result_rows import number, split_name


def cost(row, rates):
    """Returns the time in µs that a row's ratios are about; None if the row has no times.

    It is the median of a call, or the time per answer of all clients if the row's type is in
    `rates`.
    """
    rate = number(row, "items_per_second")
    return 1e6 / rate if split_name(row["name"])[0] in rates and rate else number(row, "p50_us")


def in_pairs(row, rates):
    """Returns whether a row was measured in pairs."""
    return bool(number(row, "probe_ratio") and cost(row, rates))


def median_probe(rows, rates):
    """Returns the median of the probes of all rows in µs; None if no row was measured in pairs."""
    probes = [cost(row, rates) / row["probe_ratio"] for row in rows
              if in_pairs(row, rates) and row.get("aggregate_unit") != "percentage"
              and row.get("aggregate_name") != "stddev"]
    return statistics.median(probes) if probes else None


def with_costs(reports):
    """Returns copies of a run's documents with costs, and the median probe of each host in µs.

    There are hosts if a sweep of several was merged, otherwise the only one is "". Without rows in
    pairs there are no probes.

    Each row with times gets `cost_us`, with the ends of its interval as `cost_us_low` and
    `cost_us_high` if its ratio to the probe has them. Rows of a rate get `answers_per_s` too, with
    its ends. A row without pairs gets the cost as it was measured.
    """
    rates = description.of(reports[0]).rates
    by_host = {}
    for report in reports:
        for row in report["benchmarks"]:
            by_host.setdefault(_host(row), []).append(row)
    probes = {host: probe_us for host, rows in by_host.items()
              if (probe_us := median_probe(rows, rates))}
    documents = [{**report, "benchmarks": [{**row, **_costs(row, rates, probes.get(_host(row)))}
                                           for row in report["benchmarks"]]} for report in reports]
    return documents, probes


def _host(row):
    """Returns the host in the row's label, which a merged sweep has; empty without one."""
    entries = row.get("label", "").split()
    return next((entry for entry in entries if entry.startswith("host=")), "").removeprefix("host=")


def _costs(row, rates, probe_us):
    if probe_us and in_pairs(row, rates):
        costs = {end: ratio * probe_us for end in ("", "_low", "_high")
                 if (ratio := number(row, "probe_ratio" + end))}
    else:
        costs = {"": own} if (own := cost(row, rates)) else {}
    counters = {f"cost_us{end}": us for end, us in costs.items()}
    if split_name(row["name"])[0] in rates:
        other = {"": "", "_low": "_high", "_high": "_low"}
        counters |= {f"answers_per_s{other[end]}": 1e6 / us for end, us in costs.items()}
    return counters
