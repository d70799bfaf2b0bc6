"""The exact tier: what a call costs in things that can be counted. These figures repeat to the unit on the
noisiest machine, so any change of them is a change of the code, and fails unless it is acknowledged.

A figure that differs is counted again by fresh programs. One that comes out the same on either side each time is
believed. One that repeats in base and never comes out so in head has changed as well: it became irregular. Of one that
does not repeat in base, only a change beyond all that it varies by is seen. Where the calls of a single count differ
among each other, its means are compared, and that they differ is a figure itself.
"""

import concurrent.futures
import fnmatch
import os
import re
import time
import tomllib
from dataclasses import dataclass, field

from .errors import GateError
from .instructions import CountingError, Unavailable, instructions_per_call
from .resident import Resident
from .rows import check_same

ON_THE_WIRE = ("round_trips", "wire_bytes_out", "wire_bytes_in", "frames_out", "frames_in",
               "compressed_frames_out", "compressed_frames_in", "refs_created", "refs_released")
OF_THE_LEDGER = ("client_syscalls", "server_syscalls", "client_allocations", "server_allocations",
                 "client_allocated_bytes", "server_allocated_bytes")
REGULAR = "ledger_exact"  # 1 if all calls of a count cost the same
IRREGULAR = "irregular"  # the value of a figure that does not repeat
PRESENCE = "row"  # the figure of a row that only one side has
PRESENT, ABSENT = "present", "absent"
COUNTS = 3  # of a figure in doubt
FAR = 5  # of three random numbers twice, fewer than 1 in 2,000 are so far apart
LAYOUT_INSTRUCTIONS = 16  # a call may have more or less in a program that was only linked in another order


@dataclass(frozen=True)
class Change:
    """An exact figure that differs. `why` is what the file of acknowledged changes says of it, if it does."""
    row: str
    figure: str
    old: object
    new: object
    why: str = ""


@dataclass
class ExactResult:
    changes: list
    unsettled: list  # (row, figure) that do not repeat in base
    unsettled_in_head: list  # that do in base
    rows: int
    figures: int
    notes: list
    base_rows: list
    head_rows: list
    seconds: float


def figures_of(row):
    """The row's exact figures."""
    return {name: round(float(row[name]), 6) for name in (*ON_THE_WIRE, *OF_THE_LEDGER, REGULAR) if name in row}


class Counter:
    """Counts rows of both builds at the same time, a CPU each. `inject` says what goes into head's server for a
    row."""

    def __init__(self, base, head, settings, tell, inject):
        self._base, self._head, self._settings, self._tell = base, head, settings, tell
        self._inject = inject
        self._end = time.monotonic() + settings.exact_seconds

    def count(self, rows):
        """{row: (base's row, head's row)}. Throws GateError, also when the tier's time is over."""
        pattern = self._settings.without_ledger
        bare = [row for row in rows if pattern and re.search(pattern, row)]
        counted = self._count([row for row in rows if row not in set(bare)], "true")
        return counted | self._count(bare, "false")

    def _count(self, rows, ledger):
        if not rows:
            return {}
        cpus = sorted(os.sched_getaffinity(0))
        flags = [*self._settings.bench_flags(), f"--ledger={ledger}", "--benchmark_min_time=0"]
        counted = {}
        with Resident(self._base, {cpus[0]}, flags) as ours, \
                Resident(self._head, {cpus[-1]}, flags) as theirs:
            for number, row in enumerate(rows, 1):
                if time.monotonic() > self._end:
                    raise GateError(f"exact tier: {number - 1} of {len(rows)} rows were counted when "
                                    "its time was over (exact_seconds)")
                self._tell(f"exact tier: {number} of {len(rows)}: {row}")
                ours.start(row)
                injected = self._inject(row)
                theirs.start(row, injected)
                base_row, head_row = ours.result()[1], theirs.result()[1]
                check_same(base_row, head_row, injected=bool(injected))
                counted[row] = base_row, head_row
        return counted


def _differing(pair):
    """The figures of a pair of rows that may differ: {figure: (old, new)}; None where a side lacks it."""
    old, new = map(figures_of, pair)
    return {name: (old.get(name), new.get(name)) for name in {**old, **new}
            if old.get(name) != new.get(name)}


def _far_apart(olds, news):
    """Whether what lies between two sets of numbers is FAR times what either spreads."""
    if None in olds | news:
        return False
    gap = max(min(olds) - max(news), min(news) - max(olds))
    return gap > FAR * max(max(values) - min(values) for values in (olds, news))


def _judge(row, name, values, result):
    """Adds what follows from a figure with these pairs, one a count, to the result."""
    olds, news = ({pair[side] for pair in values} for side in (0, 1))
    if news == {None}:
        raise GateError(f"{row}: head has no {name}, which base has")
    if olds == {None} and name in (*OF_THE_LEDGER, REGULAR):
        raise GateError(f"{row}: base has no {name}, which head has")
    if olds == {None}:
        result.notes.append(f"{row}: {name} is new in head")
    elif len(olds) > 1 and not _far_apart(olds, news):
        result.unsettled.append((row, name))
    elif not olds & news:
        result.changes.append(Change(row, name, *(values.pop() if len(values) == 1 else IRREGULAR
                                                  for values in (olds, news))))
    else:
        result.unsettled_in_head.append((row, name))


def compare(base, head, rows, settings, tell, inject=lambda row: ""):
    """Counts the rows, and again those that differ; `inject` says what goes into head's server for a row. Returns
    an ExactResult, throws GateError."""
    begin = time.monotonic()
    counter = Counter(base, head, settings, tell, inject)
    counted = counter.count(rows)
    doubtful = {(row, name): [values] for row, pair in counted.items()
                for name, values in _differing(pair).items()}
    for _ in range(COUNTS - 1 if doubtful else 0):
        again = counter.count(list(dict.fromkeys(row for row, _ in doubtful)))
        for (row, name), values in doubtful.items():
            old, new = map(figures_of, again[row])
            values.append((old.get(name), new.get(name)))
    result = ExactResult([], [], [], len(counted), sum(len(figures_of(old)) for old, _ in counted.values()),
                         [], [old for old, _ in counted.values()], [new for _, new in counted.values()],
                         0)
    for (row, name), values in doubtful.items():
        _judge(row, name, values, result)
    result.seconds = time.monotonic() - begin
    return result


def _instructions_of_both(base, head, row, settings, inject):
    """Counted at the same time, a CPU each if there are two."""
    cpus = sorted(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(len(cpus), 2)) as threads:
        counts = [threads.submit(instructions_per_call, build.folder, row, client_flags=settings.bench_flags(),
                                 server_flags=[f"--inject={own}"] if own else [], cpu=cpu)
                  for build, own, cpu in ((base, "", cpus[0]), (head, inject, cpus[-1]))]
        return [count.result() for count in counts]


def compare_instructions(base, head, rows, settings, tell, result, inject=lambda row: ""):
    """Counts the instructions of these rows' calls, and adds what it finds to the result. A change counts
    from settings.instructions_tolerated on: what libc's string functions do depends on where strings
    happen to lie, so that another layout alone may cost or save some instructions."""
    begin = time.monotonic()
    for row in rows:
        if result.seconds + time.monotonic() - begin > settings.exact_seconds:
            raise GateError(f"exact tier: its time (exact_seconds) was over before the instructions of {row}")
        tell(f"instructions: {row}")
        try:
            old, new = _instructions_of_both(base, head, row, settings, inject(row))
        except Unavailable as error:
            result.notes.append(f"instructions were not compared: {error}")
            break
        except (CountingError, ValueError) as error:
            raise GateError(f"{row}: instructions: {error}") from error
        for side in ("client", "server"):
            figure, before, after = f"{side}_instructions", getattr(old, side), getattr(new, side)
            result.figures += 1
            difference = abs(after - before)
            if not old.exact:
                result.unsettled.append((row, figure))
            elif not new.exact:
                result.unsettled_in_head.append((row, figure))
            elif difference > max(LAYOUT_INSTRUCTIONS, settings.instructions_tolerated * before):
                result.changes.append(Change(row, figure, round(before, 2), round(after, 2)))
    result.seconds += time.monotonic() - begin


def row_changes(base_rows, head_rows):
    """Rows that only one side has, as changes."""
    base_set, head_set = set(base_rows), set(head_rows)
    return ([Change(row, PRESENCE, PRESENT, ABSENT) for row in base_rows if row not in head_set] +
            [Change(row, PRESENCE, ABSENT, PRESENT) for row in head_rows if row not in base_set])


@dataclass(frozen=True)
class Acknowledged:
    """Changes that are acknowledged."""
    entries: list = field(default_factory=list)
    stale: list = field(default_factory=list)  # those that were for changes before base, and do not count
    notes: list = field(default_factory=list)


def load_acknowledged(path):
    """The changes that a file acknowledges. Throws GateError; a file that isn't there has none."""
    if not path or not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as file:
            return parse_acknowledged(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"{path}: {error}") from error


def parse_acknowledged(text, path):
    """The changes that a text acknowledges: [[change]] tables with row, figure, old, new and why. The row is
    a listed name, or a pattern with * for several. Throws GateError that names `path`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GateError(f"{path}: {error}") from error
    tables = document.get("change", [])
    if set(document) - {"change"} or not isinstance(tables, list):
        raise GateError(f"{path}: has other things than [[change]] tables")
    changes = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: [[change]] number {number}"
        if not isinstance(table, dict) or set(table) != {"row", "figure", "old", "new", "why"}:
            raise GateError(f"{where}: must have row, figure, old, new and why, and nothing else")
        if not all(isinstance(table[key], str) and table[key].strip()
                   for key in ("row", "figure", "why")):
            raise GateError(f"{where}: row, figure and why must be texts that say something")
        if not all(isinstance(table[key], (str, int, float)) for key in ("old", "new")):
            raise GateError(f"{where}: old and new must be numbers, or texts")
        changes.append(Change(**table))
    return changes


def covers(entry, row):
    """Whether an acknowledged change speaks of the row."""
    return row == entry.row or fnmatch.fnmatchcase(row, entry.row)


def _same(name, one, other):
    """Whether two values of a figure are the same; of instructions, but for what another layout may change."""
    if not name.endswith("_instructions") or isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= LAYOUT_INSTRUCTIONS


def acknowledge(changes, acknowledged):
    """The changes with the reasons for those that are acknowledged, and the entries that none needed."""
    def entry_for(change):
        for entry in acknowledged:
            if entry.figure == change.figure and covers(entry, change.row) and all(
                    _same(change.figure, *pair) for pair in ((entry.old, change.old),
                                                             (entry.new, change.new))):
                return entry
        return None

    found = [(change, entry_for(change)) for change in changes]
    used = [entry for _, entry in found if entry]
    return ([Change(change.row, change.figure, change.old, change.new, entry.why if entry else "")
             for change, entry in found],
            [entry for entry in acknowledged if entry not in used])
