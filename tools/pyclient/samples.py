"""Exact percentiles of recorded times, by nearest rank, as fixtures/meter/samples.h defines them."""

import math


def percentile(samples, percent):
    """The smallest of the sorted `samples` that at least that share of all does not exceed. None
    where the smaller side does not amount to one whole sample (100 for p99, 20 for p95, 10 for
    p10); only the median is content with any one.
    """
    beyond = len(samples) * min(percent, 100 - percent) / 100
    if not samples or (percent != 50 and beyond < 1):
        return None
    return samples[math.ceil(len(samples) * percent / 100) - 1]


def latency_counters(nanoseconds):
    """The counters of single calls, in µs, from their times in any order."""
    samples = sorted(nanoseconds)
    counters = {f"p{percent}_us": percentile(samples, percent) for percent in (10, 50, 95, 99)}
    counters.update(min_us=samples[0], max_us=samples[-1])
    counters = {name: value / 1e3 for name, value in counters.items() if value is not None}
    return {**counters, "samples": len(samples)}


def median_us(nanoseconds):
    return percentile(sorted(nanoseconds), 50) / 1e3
