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

    `source` names the row whose exchanges were measured, at `measured_at` (its RTT). Without such a
    row it is ROUND_TRIPS. If the exchanges are unknown, `added` says why and `total` is None.
    """
    rtt_us: float
    added: Line
    total: Optional[Line] = None
    exchanges: Optional[float] = None
    source: str = ""
    measured_at: Optional[int] = None


def wire(operation, total, across, rtt_us, readable):
    """Returns the Wire of an explained operation whose total is this line.

    `across` are the rows of links.exchanges_of(); `readable` writes a time in µs.
    """
    name, (_, row) = f"the wire at rtt {readable(rtt_us)}", total.terms[0]
    kind, mode, op = split_name(row.name)
    if operation.type in operation.description.rates:
        return Wire(rtt_us, Line(name, "not added: its clients wait for the link at the same time"))
    call = same_call(kind, mode, op)
    found = exchanges_near(across, call, operation.conditions, rtt_us)
    if found:
        measured_at, exchanges = found
        source = exchanges.name
        exchanges = exchanges._replace(paired=True)  # a count needs no pairs
        text = f"{exchanges.us:.2f} exchanges × {readable(rtt_us)}  " \
               f"(measured at rtt {readable(measured_at)})"
    elif row.round_trips is not None:
        measured_at, source = None, ROUND_TRIPS
        exchanges = row._replace(us=row.round_trips, noise=0, interval=(row.round_trips,) * 2)
        text = f"{row.round_trips} {ROUND_TRIPS} × {readable(rtt_us)}  (not measured across a link)"
    else:
        return Wire(rtt_us, Line(name, f"unknown: {row.name} has no {ROUND_TRIPS}, and no row "
                                 "across a link has its exchanges"))
    added = Line(name, text, ((rtt_us, exchanges),))
    both = Line(f"total at rtt {readable(rtt_us)}", f"{micros(total.us)} + {micros(added.us)}",
                total.terms + added.terms)
    return Wire(rtt_us, added, both, exchanges.us, source, measured_at)
