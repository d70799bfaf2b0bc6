"""Computes exact percentiles of recorded times by nearest rank, as fixtures/meter/samples.h does."""

import math


def percentile(samples, percent):
    """Returns the smallest of the sorted `samples` that at least `percent` of them do not exceed.

    Returns None if the smaller side has less than one whole sample: p99 needs 100 samples, p95 20
    and p10 10. The median needs only one.
    """
    beyond = len(samples) * min(percent, 100 - percent) / 100
    if not samples or (percent != 50 and beyond < 1):
        return None
    return samples[math.ceil(len(samples) * percent / 100) - 1]


def latency_counters(nanoseconds):
    """Returns the counters of single calls, in µs, from their times in ns, in any order."""
    samples = sorted(nanoseconds)
    counters = {f"p{percent}_us": percentile(samples, percent) for percent in (10, 50, 95, 99)}
    counters.update(min_us=samples[0], max_us=samples[-1])
    counters = {name: value / 1e3 for name, value in counters.items() if value is not None}
    return {**counters, "samples": len(samples)}


def median_us(nanoseconds):
    """Returns the median in µs of times in ns, in any order."""
    return percentile(sorted(nanoseconds), 50) / 1e3
