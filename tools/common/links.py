"""Reads rows across a link that delays packets: what a call takes, by the link's round-trip time.

Such a row is Link/<mode>/<operation>/rtt_us:<r> with a native client, PyLink/… with a Python one.
A call takes its local time + exchanges × RTT: the local time is what it takes without delay, and an
exchange is a time that it waits for the link. Times and RTTs are in µs.
"""

import math
import re
from typing import NamedTuple

from .result_rows import MICROSECONDS, Results, Row, Unusable, clash, split_name

KINDS = {False: "Link", True: "PyLink"}  # by whether the client is in Python
RTT = re.compile(r"(.+)/rtt_us:(\d+)$")
# A call without a link (type/operation) and the operation of the same call across one.
SAME_CALLS = ((r"(?:Latency|Objects|Bandwidth)/(.+)", r"\1"),
              (r"Connection(?:/python_opening)?", "connect"),
              (r"Pipelined/depth:(\d+)", r"pipelined/\1"))
TIME = re.compile(r"(\d+(?:\.\d+)?)(us|µs|μs|ms|s)$")  # the micro sign and the Greek letter
OFF = 0.1  # a time that is further from the straight line, as a share of it, is not on it


def is_across(kind):
    """Returns whether the rows of this type are across a link."""
    return kind in KINDS.values()


def parsed_rtts(texts):
    """Returns the round-trip times in µs in texts such as "1ms,20ms", without repetitions.

    Raises Unusable.
    """
    found = {}
    for word in (word for text in texts for word in text.split(",")):
        match = TIME.match(word.strip())
        us = float(match[1]) * MICROSECONDS[re.sub("[µμ]", "u", match[2])] if match else 0
        if not 0 < us < math.inf:
            raise Unusable(f"--rtt: {word!r} is no round-trip time, such as 20ms; "
                           "units are us, µs, ms and s")
        found[us] = None
    return list(found)


def by_call(rows):
    """Returns {(type, mode, operation): {RTT: Row}} of those rows that are across a link.

    RTTs ascend. Of rows with the same name the first one counts.
    """
    found = {}
    for row in rows:
        kind, mode, rest = split_name(row.name)
        if is_across(kind) and (match := RTT.match(rest)):
            found.setdefault((kind, mode, match[1]), {}).setdefault(int(match[2]), row)
    return {call: dict(sorted(rtts.items())) for call, rtts in found.items()}


def exchanges_of(reports):
    """Returns the rows that have exchanges, which are their Row.us."""
    return [row for row in Results(reports, "exchanges", counter=True).all()
            if is_across(split_name(row.name)[0])]


def same_call(kind, mode, operation):
    """Returns (type, mode, operation) of the same call across a link; None if there is none."""
    without = kind.removeprefix("Py")
    if (without, operation) == ("Connection", "") and "rpyc_" in mode:
        return None  # it opens a connection in fewer round trips than a program of Python
    for pattern, instead in SAME_CALLS:
        if match := re.fullmatch(pattern, "/".join(filter(None, (without, operation)))):
            return KINDS[kind != without], mode, match.expand(instead)
    return None


def exchanges_near(rows, call, conditions, rtt_us):
    """Returns (RTT, Row) of the exchanges of a call that were measured nearest to an RTT, or None.

    `rows` are those of exchanges_of(). Where rows were placed does not change their exchanges, so
    the placement is no condition.
    """
    conditions = {key: value for key, value in conditions.items() if key != "placement"}
    fitting = [row for row in rows if not clash(row.labels, conditions)]
    measured = by_call(fitting).get(call, {})
    return min(measured.items(), default=None,
               key=lambda item: abs(math.log(max(item[0], 1) / rtt_us)))


class Call(NamedTuple):
    """A call across the link: its median times by RTT, and the line through them.

    `local` and `exchanges` are Rows whose `us` is that figure, from the row at the longest delay,
    `rtt_us`, which shows the exchanges most exactly.
    """
    kind: str
    mode: str
    operation: str
    times: dict
    rtt_us: int
    local: Row
    exchanges: Row

    @property
    def name(self):
        return f"{self.mode}/{self.operation}"

    def time(self, rtt_us):
        """Returns what the call takes on the straight line, in µs."""
        return self.local.us + self.exchanges.us * rtt_us

    @property
    def is_straight(self):
        """Whether all times that were measured with delay are on the line."""
        return all(abs(us - self.time(rtt)) <= OFF * self.time(rtt)
                   for rtt, us in self.times.items() if rtt > 0)


def calls(reports):
    """Returns the calls that were measured across a link with delay and without, as Calls."""
    times, local = (by_call(Results(reports, statistic, counter=True).all())
                    for statistic in ("p50_us", "local_us"))
    found = []
    for call, exchanges in by_call(exchanges_of(reports)).items():
        rtt_us, row = max(exchanges.items())
        medians = {rtt: each.us for rtt, each in times.get(call, {}).items()}
        base = local.get(call, {}).get(rtt_us)
        if base and rtt_us in medians:
            found.append(Call(*call, medians, rtt_us, base, row))
    return found
