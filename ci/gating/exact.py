"""Judges the exact tier: what a call costs in things that can be counted.

These figures repeat to the unit on the noisiest machine. Any change of them is therefore a change of the code, and
fails unless it is acknowledged.

A figure that differs is counted again by fresh programs:

- The gate believes a figure that comes out the same on either side each time.
- A figure that repeats in base and not in head has changed as well: it became irregular.
- For a figure that does not repeat in base, the gate only detects a change beyond all its variation.

If the calls of a single count differ from each other, the means are compared. Whether they differ is a figure itself.
"""

import concurrent.futures
import fnmatch
import os
import re
import time
import tomllib
from dataclasses import dataclass, field

from common.resident import Resident  # in tools/

from .errors import GateError
from .instructions import CountingError, Unavailable, instructions_per_call
from .rows import check_same

ON_THE_WIRE = ("round_trips", "wire_bytes_out", "wire_bytes_in", "frames_out", "frames_in",
               "compressed_frames_out", "compressed_frames_in", "refs_created", "refs_released")
OF_THE_LEDGER = ("client_syscalls", "server_syscalls", "client_allocations", "server_allocations",
                 "client_allocated_bytes", "server_allocated_bytes")
REGULAR = "ledger_exact"  # 1 if all calls of a count cost the same
IRREGULAR = "irregular"  # the value of a figure that does not repeat
PRESENCE = "row"  # the figure of a row that only one side has
PRESENT, ABSENT = "present", "absent"
COUNTS = 3  # how often a figure in doubt is counted
FAR = 5  # in two sets of three random numbers, fewer than 1 in 2,000 pairs are so far apart
LAYOUT_INSTRUCTIONS = 16  # difference of a call in a program that was only linked in another order
FAR_INSTRUCTIONS = 4  # times the tolerated difference that shows even where counts do not repeat


@dataclass(frozen=True)
class Change:
    """An exact figure that differs; `why` is the acknowledged reason, or empty."""
    row: str
    figure: str
    old: object
    new: object
    why: str = ""


@dataclass
class ExactResult:
    """What the exact tier found."""
    changes: list
    unsettled: list  # (row, figure) that do not repeat in base
    unsettled_in_head: list  # (row, figure) that repeat only in base
    rows: int
    figures: int
    notes: list
    base_rows: list
    head_rows: list
    seconds: float


def figures_of(row):
    """Returns the row's exact figures by name."""
    return {name: round(float(row[name]), 6) for name in (*ON_THE_WIRE, *OF_THE_LEDGER, REGULAR) if name in row}


class Counter:
    """Counts rows of both builds at the same time, on a CPU each; `inject` gives the slowdown of a row."""

    def __init__(self, base, head, settings, tell, inject):
        self._base, self._head, self._settings, self._tell = base, head, settings, tell
        self._inject = inject
        self._end = time.monotonic() + settings.exact_seconds

    def count(self, rows):
        """Returns {row: (base's row, head's row)}. Raises ProgramFailed, and GateError if it runs out of time."""
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
        with Resident(self._base.name, self._base.bench_all, flags, {cpus[0]}) as ours, \
                Resident(self._head.name, self._head.bench_all, flags, {cpus[-1]}) as theirs:
            for number, row in enumerate(rows, 1):
                if time.monotonic() > self._end:
                    raise GateError(f"exact tier: only {number - 1} of {len(rows)} rows were counted before "
                                    "its time was over; raise exact_seconds")
                self._tell(f"exact tier: {number} of {len(rows)}: {row}")
                ours.start(row)
                injected = self._inject(row)
                theirs.start(row, injected)
                base_row, head_row = ours.result()[1], theirs.result()[1]
                check_same(base_row, head_row, injected=bool(injected))
                counted[row] = base_row, head_row
        return counted


def _differing(pair):
    """Returns the figures of a pair of rows as {figure: (old, new)}; a value is None where a side lacks it."""
    old, new = map(figures_of, pair)
    return {name: (old.get(name), new.get(name)) for name in {**old, **new}
            if old.get(name) != new.get(name)}


def far_apart(olds, news):
    """Returns whether the gap between two sets of numbers is FAR times the spread of either."""
    if None in olds | news:
        return False
    gap = max(min(olds) - max(news), min(news) - max(olds))
    return gap > FAR * max(max(values) - min(values) for values in (olds, news))


def _judge(row, name, values, result):
    """Judges a figure with these pairs, one per count, and adds the consequences to the result."""
    olds, news = ({pair[side] for pair in values} for side in (0, 1))
    if news == {None}:
        raise GateError(f"{row}: head has no {name}, which base has")
    if olds == {None} and name in (*OF_THE_LEDGER, REGULAR):
        raise GateError(f"{row}: base has no {name}, which head has")
    if olds == {None}:
        result.notes.append(f"{row}: {name} is new in head")
    elif len(olds) > 1 and not far_apart(olds, news):
        result.unsettled.append((row, name))
    elif not olds & news:
        result.changes.append(Change(row, name, *(values.pop() if len(values) == 1 else IRREGULAR
                                                  for values in (olds, news))))
    else:
        result.unsettled_in_head.append((row, name))


def compare(base, head, rows, settings, tell, inject=lambda row: ""):
    """Counts the rows, and again those that differ; `inject` gives the slowdown of a row.

    Returns an ExactResult. Raises GateError.
    """
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
    """Counts both builds at the same time, on a CPU each if there are two."""
    cpus = sorted(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(len(cpus), 2)) as threads:
        counts = [threads.submit(instructions_per_call, build.folder, row, client_flags=settings.bench_flags(),
                                 server_flags=[f"--inject={own}"] if own else [], cpu=cpu)
                  for build, own, cpu in ((base, "", cpus[0]), (head, inject, cpus[-1]))]
        return [count.result() for count in counts]


def judge_instructions(row, old, new, settings, result):
    """Adds to the result what the counts of both builds show of a row, those of either side."""
    for side in ("client", "server"):
        figure, before, after = f"{side}_instructions", getattr(old, side), getattr(new, side)
        result.figures += 1
        tolerated = max(LAYOUT_INSTRUCTIONS, settings.instructions_tolerated * before)
        # Counts that do not repeat still show what is far beyond their scatter.
        if abs(after - before) > (tolerated if old.exact and new.exact else FAR_INSTRUCTIONS * tolerated):
            result.changes.append(Change(row, figure, round(before, 2), round(after, 2)))
        elif not old.exact:
            result.unsettled.append((row, figure))
        elif not new.exact:
            result.unsettled_in_head.append((row, figure))


def compare_instructions(base, head, rows, settings, tell, result, inject=lambda row: ""):
    """Counts the instructions of these rows' calls, and adds what it finds to the result.

    A change counts from settings.instructions_tolerated on. What libc's string functions do depends on where
    strings happen to be in memory, so that another layout alone may cost or save some instructions.
    """
    begin = time.monotonic()
    for row in rows:
        if result.seconds + time.monotonic() - begin > settings.exact_seconds:
            raise GateError(f"exact tier: its time was over before the instructions of {row}; raise exact_seconds")
        tell(f"instructions: {row}")
        try:
            old, new = _instructions_of_both(base, head, row, settings, inject(row))
        except Unavailable as error:
            result.notes.append(f"instructions were not compared: {error}")
            break
        except (CountingError, ValueError) as error:
            raise GateError(f"{row}: instructions: {error}") from error
        judge_instructions(row, old, new, settings, result)
    result.seconds += time.monotonic() - begin


def row_changes(base_rows, head_rows):
    """Returns rows that only one side has, as changes."""
    base_set, head_set = set(base_rows), set(head_rows)
    return ([Change(row, PRESENCE, PRESENT, ABSENT) for row in base_rows if row not in head_set] +
            [Change(row, PRESENCE, ABSENT, PRESENT) for row in head_rows if row not in base_set])


@dataclass(frozen=True)
class Acknowledged:
    """The acknowledged changes of a gate."""
    entries: list = field(default_factory=list)
    stale: list = field(default_factory=list)  # entries for changes before base, which do not count
    notes: list = field(default_factory=list)


def load_acknowledged(path):
    """Returns the changes that a file acknowledges; none if it does not exist. Raises GateError."""
    if not path or not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as file:
            return parse_acknowledged(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"{path}: {error}") from error


def parse_acknowledged(text, path):
    """Returns the changes that a text acknowledges: [[change]] tables with row, figure, old, new and why.

    The row is a listed name, or a pattern with * for several. Raises GateError that names `path`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GateError(f"{path}: {error}") from error
    tables = document.get("change", [])
    if set(document) - {"change"} or not isinstance(tables, list):
        raise GateError(f"{path}: may contain only [[change]] tables")
    changes = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: [[change]] number {number}"
        if not isinstance(table, dict) or set(table) != {"row", "figure", "old", "new", "why"}:
            raise GateError(f"{where}: must have row, figure, old, new and why, and nothing else")
        if not all(isinstance(table[key], str) and table[key].strip()
                   for key in ("row", "figure", "why")):
            raise GateError(f"{where}: row, figure and why must be non-empty texts")
        if not all(isinstance(table[key], (str, int, float)) for key in ("old", "new")):
            raise GateError(f"{where}: old and new must be numbers, or texts")
        changes.append(Change(**table))
    return changes


def covers(entry, row):
    """Returns whether an acknowledged change applies to the row."""
    return row == entry.row or fnmatch.fnmatchcase(row, entry.row)


def _same(name, one, other):
    """Returns whether two values are the same; instructions may differ by what another layout changes."""
    if not name.endswith("_instructions") or isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= LAYOUT_INSTRUCTIONS


def acknowledge(changes, acknowledged):
    """Returns the changes with the reasons of acknowledged ones, and the entries that no change needed."""
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
