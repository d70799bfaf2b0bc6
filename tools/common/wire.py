"""Computes what a link with a round-trip time adds to an explained call (tools/explain --rtt).

A call waits for the link some number of times, its exchanges. They come from a row of the same call
across a link, or else from the round trips that the client of the call asks for. Times are in µs.
"""

from typing import NamedTuple, Optional

from .explaining import Line, micros
from .links import exchanges_near, same_call
from .result_rows import split_name

ROUND_TRIPS = "round_trips"


class Wire(NamedTuple):
    """What one round-trip time adds to a call: exchanges × RTT, and the total with it.

    `source` names the row whose exchanges were measured at an RTT of `measured_at`. Without such a
    row it is ROUND_TRIPS. If the exchanges are unknown, `added` says why and `total` is None.
    """
    rtt_us: float
    added: Line
    total: Optional[Line] = None
    exchanges: Optional[float] = None
    source: str = ""
    measured_at: Optional[int] = None


def asked_for(adding):
    """Returns the row of these lines that is nearest to the total and has round trips, or None.

    A Python client's rows have none: it cannot tell what its library sends.
    """
    return next((line.terms[0][1] for line in reversed(adding)
                 if line.terms and line.terms[0][1].round_trips is not None), None)


def wire(operation, adding, total, across, rtt_us, readable):
    """Returns the Wire of an operation that explain() explained by these lines.

    `across` are the rows of links.exchanges_of(); `readable` writes a time in µs.
    """
    rtt, row = readable(rtt_us), total.terms[0][1]
    name = f"the wire at rtt {rtt}"
    if operation.type in operation.description.rates:
        return Wire(rtt_us, Line(name, "not added: its clients wait for the link at the same time"))
    call = same_call(*split_name(row.name))
    measured_at, source = None, ROUND_TRIPS
    if found := exchanges_near(across, call, operation.conditions, rtt_us):
        measured_at, exchanges = found
        source = exchanges.name
        exchanges = exchanges._replace(paired=True)  # a count needs no pairs
        text = f"{exchanges.us:.2f} exchanges × {rtt}  (measured at rtt {readable(measured_at)})"
    elif asking := asked_for(adding):
        trips = asking.round_trips
        exchanges = asking._replace(us=trips, noise=0, interval=None, paired=True)
        text = f"{trips} {ROUND_TRIPS} of {asking.name} × {rtt}"
    else:
        return Wire(rtt_us, Line(name, f"unknown: no row has {ROUND_TRIPS}, and none across a link "
                                 "has exchanges"))
    added = Line(name, text, ((rtt_us, exchanges),))
    both = Line(f"total at rtt {rtt}", f"{micros(total.us)} + {micros(added.us)}",
                total.terms + added.terms)
    return Wire(rtt_us, added, both, exchanges.us, source, measured_at)
