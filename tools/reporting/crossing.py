"""Says at which round-trip times one call is faster than another, as far as intervals decide it.

Each call takes local time + exchanges × RTT. So the difference of two calls is a straight line over
the RTT as well. Where its whole interval is below 0, the first call is faster. Times are in µs.
"""

import math

from .units import micros

ALWAYS = (0, math.inf)


def ends(row):
    """Returns the ends of a figure's interval, or without one what it may be with its noise."""
    return row.interval or (row.us - row.noise, row.us + row.noise)


def least(first, second):
    """Returns the least that the figure of the first row may be beyond that of the second."""
    return ends(first)[0] - ends(second)[1]


def below(start, slope):
    """Returns the RTTs (first, last) at which start + slope × RTT is below 0; None if nowhere."""
    if start < 0:
        return 0, -start / slope if slope > 0 else math.inf
    return (start / -slope, math.inf) if slope < 0 else None


def surely_faster(first, second):
    """Returns the RTTs (first, last) at which the first call is faster for sure; None if nowhere."""
    return below(-least(second.local, first.local), -least(second.exchanges, first.exchanges))


def edge(span):
    """Returns the RTT at which a span begins or ends; spans of some RTTs have one such edge."""
    return span[1] if span[0] == 0 else span[0]


def said(span, rtt_us, measured_us, *remarks):
    """Returns on which side of an RTT a span is, with remarks; `measured_us` is the longest RTT."""
    side = f"up to an RTT of {micros(rtt_us)}" if span[0] == 0 else \
        f"from an RTT of {micros(rtt_us)} on"
    if rtt_us > measured_us:
        remarks += (f"extrapolated: measured up to {micros(measured_us)}",)
    return f"{side} ({', '.join(remarks)})" if remarks else side


def comparison(first, second):
    """Returns the sentence about the first call (of links.Call) compared with the second."""
    for call in (first, second):
        if not call.is_straight:
            return f"{first.name} and {second.name} are not compared: the times of {call.name} " \
                   "are not on a straight line."
    spans = {"faster": surely_faster(first, second), "slower": surely_faster(second, first)}
    known = {word: span for word, span in spans.items() if span}
    if not known:
        return f"Whether {first.name} is faster than {second.name} is undecided at every RTT: " \
               "the intervals meet."
    word, span = next(iter(known.items()))
    says = f"{first.name} is {word} than {second.name}"
    if span == ALWAYS:
        return f"{says} at every RTT."
    measured_us = min(first.rtt_us, second.rtt_us)
    if len(known) == 1:
        beyond = "above" if span[0] == 0 else "below"
        return f"{says} {said(span, edge(span), measured_us)}; {beyond} it the intervals meet, " \
               "so it is undecided."
    at = (second.local.us - first.local.us) / (first.exchanges.us - second.exchanges.us)
    low, high = map(micros, sorted(map(edge, known.values())))
    return f"{says} {said(span, at, measured_us, f'interval {low} to {high}')}."
