"""Shows calls across a link that delays packets: time over round-trip time, and which is faster when.

All of it follows from the local time and the exchanges of each call (common/links.py).
"""

import math
from typing import NamedTuple

from common.links import KINDS

from ..blocks import Axis, Cell, Chart, Folded, Panel, Series, Table, Text
from ..crossing import comparison
from ..units import micros

ID = "link"
TITLE = "Calls across a link"
LEAD = ("A call takes its local time + exchanges × RTT. RTT is the round-trip time of a link that delays "
        "packets, an exchange is a time that the call waits for the link, and the local time is what it "
        "takes without delay. Marks are measured medians, lines are computed from local time and exchanges; "
        "grey is plain TCP. A call whose medians are not on such a line has two times instead. RPyC and "
        "HTTP are compared for one client and servers in one language. Where the intervals of local time "
        "and exchanges meet, a comparison is undecided.")
NEEDS = "No row of Link or PyLink has exchanges: measure with several RTTs, as the preset full does."
CLIENTS = {True: "Python client", False: "native client"}
SHORTEST = 10  # µs, the shortest RTT of a computed line
STEPS = (1, 2, 5)  # its points in each decade


class Task(NamedTuple):
    """What a program does, and by which operation of RPyC and of HTTP."""
    name: str
    rpyc: str
    http: str


TASKS = (Task("One call", "ping", "ping"), Task("A call of a bound method", "ping_bound", "ping"),
         Task("One attribute", "getattr", "getattr"),
         Task("An attribute of each of ten objects", "attribute_each/10", "one_by_one/10"),
         Task("An attribute of each of ten objects", "attribute_each/10", "batch/10"))


def pairs(result, calls, task):
    """Yields (RPyC's call, HTTP's call) of a task, for servers in one language."""
    known = result.description

    def found(protocol, operation):
        return [call for call in calls if call.operation == operation and call.mode in known.modes
                and known.modes[call.mode]["protocol"] == protocol]

    for rpyc in found("rpyc", task.rpyc):
        for http in found("http", task.http):
            if known.modes[rpyc.mode]["python"] == known.modes[http.mode]["python"]:
                yield rpyc, http


def rtts_to(longest):
    """Returns the RTTs of a computed line, up to the longest."""
    decades = range(max(0, math.ceil(math.log10(longest / SHORTEST))))
    steps = [SHORTEST * 10 ** decade * step for decade in decades for step in STEPS]
    return [rtt for rtt in steps if rtt < longest] + [longest]


def lines(key, call):
    """Yields the series of a call: its medians with delay, and the line that they are on, if any."""
    yield Series(key, [(rtt, us) for rtt, us in call.times.items() if rtt > 0], joined=False)
    if call.is_straight:
        yield Series(key, [(rtt, call.time(rtt)) for rtt in rtts_to(call.rtt_us)], marked=False)


def panel(result, calls, task):
    """Returns the panel of a task: its calls and plain TCP doing the same as HTTP; None without."""
    compared = {call.mode: call for pair in pairs(result, calls, task) for call in pair}
    if not compared:
        return None
    floor = {"floor": call for call in calls
             if (call.mode, call.operation) == (result.description.floor_mode, task.http)}
    return Panel(" and ".join(dict.fromkeys(task[1:])),
                 [series for key, call in [*floor.items(), *compared.items()]
                  for series in lines(key, call)])


def formula(call):
    """Returns the cell of a call: local time + exchanges × RTT, or two times if not straight."""
    local, rtt = micros(call.local.us), micros(call.rtt_us)
    text = f"{local} + {call.exchanges.us:.2f} × RTT" if call.is_straight else \
        f"{local}, {micros(call.times[call.rtt_us])} at {rtt}"
    return Cell(text + ("†" if call.exchanges.doubts else ""), title=f"{call.kind}/{call.name}")


def formulas(result, calls, title):
    """Returns the table of operations × modes."""
    modes = sorted({call.mode for call in calls}, key=result.description.order)
    cells = {(call.operation, call.mode): formula(call) for call in calls}
    return Table(["operation", *modes],
                 [[Cell(operation), *(cells.get((operation, mode), Cell("")) for mode in modes)]
                  for operation in dict.fromkeys(call.operation for call in calls)], title=title)


def plus_minus(row):
    """Returns how far a figure is from the farther end of its interval; empty without one."""
    return "" if row.interval is None else \
        f"± {max(row.us - row.interval[0], row.interval[1] - row.us):.3f}"


def figures(calls):
    """Returns the table of exchanges, their intervals and the medians that they follow from."""
    rtts = sorted({rtt for call in calls for rtt in call.times})
    return Table(["call", "exchanges", "±", *map(micros, rtts)],
                 [[Cell(f"{call.kind}/{call.name}"), Cell(f"{call.exchanges.us:.3f}"),
                   Cell(plus_minus(call.exchanges)),
                   *(Cell(micros(call.times[rtt]) if rtt in call.times else "") for rtt in rtts)]
                  for call in calls], [("", 3), ("median at an RTT of", len(rtts))])


def blocks(result):
    found = []
    for by_python, client in CLIENTS.items():
        calls = [call for call in result.links if call.kind == KINDS[by_python]]
        panels = list(filter(None, (panel(result, calls, task) for task in TASKS)))
        if panels:
            found.append(Chart(f"link-{client}", f"Time of a call, {client}", panels,
                               Axis("RTT", "micros"), Axis("", "micros")))
        if calls:
            found.append(formulas(result, calls, f"Local time and exchanges, {client}"))
        for task in TASKS:
            says = [comparison(*pair) for pair in pairs(result, calls, task)]
            found += [Text(f"{task.name}, {client}: {' '.join(says)}")] if says else []
    return [*found, Folded("The numbers", [figures(result.links)])] if found else []
