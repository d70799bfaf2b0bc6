"""Splits the cost of a call into floor, protocol, interpreter and model, by subtracting rows.

Rows that were measured in pairs are subtracted as costs at one speed of the machine (paired.py).

For each operation measured by RPyC or HTTP this module computes:

- its cost at the floor (plain TCP)
- what the protocol adds
- what the interpreter adds on either side
- what another concurrency model would change

tools/explain prints the result and tools/report draws it. Times are in µs.
"""

import re
from typing import NamedTuple, Optional

from .description import Description
from .links import is_across
from .paired import with_costs
from .result_rows import NotMeasured, Results, clash, how_to_get, split_name

ALWAYS, NEVER = ".*", "$"
OF_CALLS = "(?!Objects|Callback|Pipelined)"  # types that every model has in default
COST = "cost_us"  # the statistic of rows in pairs


class Part(NamedTuple):
    """A share of a component that can be measured by itself: plus − minus."""
    name: str
    plus: str
    minus: str = ""
    per_round_trip: bool = False  # multiplied by the number of extra round trips of the component
    operation: str = ALWAYS  # regex of the floor's type/protocol/operation that have this part


class Component(NamedTuple):
    """A difference of two rows, plus − minus, as templates for Operation.row_name."""
    name: str
    plus: str
    minus: str = ""
    part: Optional[Part] = None
    instead: bool = False  # an alternative to the call, not a part of the total
    told: str = ALWAYS  # regex of the types that report it if its rows were never run


FLOOR = "{type}/tcp_threaded/{floor}"
NATIVE = "{type}/{native}_threaded/{op}"
PYTHON = "{type}/{python}_threaded/{op}"
COMPONENTS = (
    Component("floor", FLOOR, part=Part("bare loop", "Floor/ping", operation="Latency/.*/ping$")),
    Component("protocol", NATIVE, FLOOR, Part("extra round trips", "{ping}", per_round_trip=True)),
    # Flask's own server closes each connection after its answer.
    Component("interpreter (server)", PYTHON, NATIVE,
              Part("a connection a call", "Connection/http_threaded", "Latency/http_threaded/ping",
                   operation="(Latency|Bandwidth)/http/")),
    Component("interpreter (client)", "Py" + PYTHON, PYTHON, told="Latency|Objects"),
    Component("model: forking", "{type}/{native}_forking/{op}", NATIVE,
              Part("the same at the floor", "{type}/tcp_forking/{floor}", FLOOR), instead=True,
              told=OF_CALLS),
    Component("model: threadpool", "{type}/{native}_threadpool/{op}", NATIVE, instead=True,
              told=OF_CALLS),
    Component("model: async", "{type}/{native}_async/{op}", NATIVE, instead=True, told=OF_CALLS),
    Component("Python: forking", "{type}/{python}_forking/{op}", PYTHON, instead=True, told=NEVER),
    Component("Python: threadpool", "{type}/{python}_threadpool/{op}", PYTHON, instead=True,
              told=NEVER),
    Component("Python: oneshot", "{type}/{python}_oneshot/{op}", PYTHON, instead=True, told=NEVER),
    Component("Python: waitress", "{type}/{python}_waitress/{op}", PYTHON, instead=True,
              told=NEVER),
    Component("Python client alone", "Py" + NATIVE, NATIVE, instead=True, told=NEVER),
)


class Operation(NamedTuple):
    """An operation of one protocol, measured under one set of conditions."""
    type: str
    op: str
    native: str
    conditions: dict  # what the labels of its rows have in common
    description: Description

    def row_name(self, template):
        """Returns the name of the row that a template stands for, for this operation."""
        known = self.description
        names = {"type": self.type, "op": self.op, "floor": known.at_the_floor(self.op),
                 "native": self.native, "python": known.python_of.get(self.native, "")}
        ping = FLOOR if self.type == "Concurrent" else "Latency/tcp_threaded/ping"
        return template.format(ping=ping.format(**names), **names).rstrip("/")


class Line(NamedTuple):
    """A line of the explanation: a sum of rows, each with a factor, as [(factor, Row)].

    `terms` is empty if it was not measured, and `text` says why.
    """
    name: str
    text: str
    terms: tuple = ()
    parts: tuple = ()

    @property
    def us(self):
        return sum(factor * row.us for factor, row in self.terms) if self.terms else None

    @property
    def interval(self):
        """(lowest, highest) that the intervals of the rows allow; None if a row has no interval."""
        if not self.terms or not all(row.interval for _, row in self.terms):
            return None
        ends = [sorted(factor * end for end in row.interval) for factor, row in self.terms]
        return sum(low for low, _ in ends), sum(high for _, high in ends)

    @property
    def distance(self):
        """How far the figure is from the farther end of its interval, in µs."""
        return max(self.us - self.interval[0], self.interval[1] - self.us)

    @property
    def within_noise(self):
        """Whether it may be 0: its interval holds 0, or without one it is less than the noise."""
        if self.interval:
            return self.interval[0] <= 0 <= self.interval[1]
        noise = max((abs(factor) * row.noise for factor, row in self.terms), default=0)
        return bool(self.terms) and abs(self.us) < noise

    def minus(self, lines):
        """Returns the terms of this line minus those of other lines; each row has one."""
        sums = {}
        for sign, line in [(1, self), *((-1, line) for line in lines)]:
            for factor, row in line.terms:
                sums[row.name] = (sums.get(row.name, (0,))[0] + sign * factor, row)
        return tuple(term for term in sums.values() if term[0])


def costs(reports, statistic=COST):
    """Returns (Results, median probe of each host in µs) for explain(), of a run's documents.

    Without rows in pairs the costs are p50_us. There are no probes unless the statistic is COST and
    rows were measured in pairs. Raises Unusable.
    """
    if statistic == COST:
        documents, probes = with_costs(reports)
        if probes:
            return Results(documents, COST), probes
        statistic = "p50_us"
    return Results(reports, statistic), {}


def explained(known, kind):
    """Returns whether the rows of a type time calls that floor, protocol and interpreter share.

    Calls across a link do, too, but what they take is almost only the link's delay (links.py).
    """
    return not is_across(kind) and (kind not in known.types or kind in known.with_calls)


def operations(results):
    """Returns the operations to explain, by protocol; contradicting labels make separate ones."""
    known, found = results.description, {}
    for row in results.all():
        kind, mode, op = split_name(row.name)
        family = mode.partition("_")[0]
        native = known.protocol_of[family] if known.is_mode(mode) else None
        if native not in known.python_of or kind.startswith("Py") or not explained(known, kind):
            continue
        several = found.setdefault((kind, op, native), [])
        fitting = [conditions for conditions in several if not clash(row.labels, conditions)]
        if fitting:
            fitting[0].update(row.labels)
        else:
            several.append(dict(row.labels))
    return [Operation(*key, conditions, known) for key, several in found.items() for conditions in several]


def micros(us):
    return f"{round(us, 1) + 0.0:,.1f}".replace("-", "−")  # + 0.0: no negative zero


def subtraction(name, results, operation, templates, times=1):
    """Returns the line for `times` × (first row − second row, if any). Raises NotMeasured."""
    names = [operation.row_name(template) for template in templates if template]
    try:
        rows = tuple(results.find(names, operation.conditions))
    except NotMeasured as reason:
        how = f" ({how_to_get(reason.needed)})" if reason.needed else ""
        raise NotMeasured(f"{reason}{how}", reason.needed) from None
    own_type = all(split_name(row.name)[0] == operation.type for row in rows)
    text = " − ".join(f"{row.name.partition('/')[2] if own_type else row.name} {micros(row.us)}"
                      for row in rows)
    return Line(name, text, tuple((times if row is rows[0] else -times, row) for row in rows))


def parts(part, whole, results, operation):
    """Returns the lines below a component: its known part and the rest of it."""
    if part is None or not re.match(part.operation, operation.row_name("{type}/{native}/{floor}")):
        return ()
    times, product = 1, ""
    if part.per_round_trip:
        more, base = (row.round_trips for _, row in whole.terms)
        if more is None or base is None or more <= base:
            return ()
        times, product = more - base, f"({more} − {base}) × "
    try:
        known = subtraction(part.name, results, operation, part[1:3], times)
    except NotMeasured as reason:
        return (Line(part.name, str(reason)),)
    return (known._replace(text=product + known.text),
            Line("the rest", f"{micros(whole.us)} − {micros(known.us)}", whole.minus([known])))


def explain(results, operation):
    """Returns the lines that add up to the total, the total's line or None, and the alternatives."""
    adding, instead = [], []
    for component in COMPONENTS:
        lines = instead if component.instead else adding
        try:
            whole = subtraction(component.name, results, operation, component[1:3])
            lines.append(whole._replace(parts=parts(component.part, whole, results, operation)))
        except NotMeasured as reason:
            if not reason.needed or re.match(component.told, operation.type):
                lines.append(Line(component.name, str(reason)))
    measured = [line for line in adding if line.us is not None]
    if not measured:
        return adding, None, instead
    last = measured[-1].terms[0][1]
    total = Line("total", last.name, ((1, last),))
    rest = total.minus(measured)
    if rest:  # a row between the first and the last is missing
        known = sum(line.us for line in measured)
        adding.append(Line("not explained", f"{micros(last.us)} − {micros(known)}", rest))
    return adding, total, instead
