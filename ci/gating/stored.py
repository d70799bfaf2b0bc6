"""Compares two stored results of bench_all: `ci/gate base.json head.json`.

The stock compare.py gives each row's p value, for real times. The gate adds the change of the row's own statistic and
a limit for it. The runs came one after the other. Anything the machine did between them looks like a change of the
suite, and no test can tell them apart. This is the weaker way, and the summary says so.
"""

import json
import math
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field

from common.result_rows import MICROSECONDS, Unusable, load

from . import exact, stored_report
from .errors import GateError, Unfit
from .ranks import repetitions_for, shift, smallest_p
from .rows import TIMES, check_build, check_same, doubts_of, figure, label_of
from .settings import TimingRule
from .verdict import INCONCLUSIVE, PASS, REGRESSION, GateResult

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
CONDITIONS = ("preset", "server_launcher")  # conditions of a whole run; those of rows are in their labels
DISTURBED = ("others", "steal", "throttled")  # doubts about the machine, not about the row
PATIENCE = 300  # seconds for compare.py, including the download of SciPy


@dataclass
class Side:
    """One result: its document and, by name, the repetitions of the rows to be judged."""
    origin: str
    document: dict
    rows: dict

    @property
    def context(self):
        return self.document["context"]

    @property
    def version(self):
        """The version, as printed by bench_all --version."""
        return "rpycbench {} ({})".format(
            *(self.context.get(key, "unknown") for key in ("suite_version", "git_revision")))


def load_side(path, pattern):
    """Returns the Side in a file, with the rows whose names match `pattern`. Raises GateError."""
    try:
        document = load(path)
    except Unusable as error:
        raise GateError(str(error)) from error
    check_build(document["context"], path)
    judged = [row for row in document["benchmarks"] + document.get("errors", [])
              if re.search(pattern, row["name"]) and row.get("run_type") != "aggregate"]
    rows = {}
    for row in judged:
        if row.get("error_occurred") or "message" in row:
            said = str(row.get("message", row.get("error_message"))).split("\n", maxsplit=1)[0]
            raise GateError(f"{path}: {row['name']} ended in an error: {said}")
        rows.setdefault(row["name"], []).append(row)
    if not rows:
        raise GateError(f"{path}: no row to judge")
    for name, repetitions in rows.items():
        unit = str(repetitions[0].get("time_unit"))
        if unit not in MICROSECONDS:
            raise GateError(f"{path}: {name}: time_unit is {unit}")
        for what, seen in (("measured as", {label_of(row) for row in repetitions}),
                           ("has times in", {str(row.get("time_unit")) for row in repetitions})):
            if len(seen) > 1:
                raise GateError(f"{path}: {name}: {what} {' and '.join(map(repr, sorted(seen)))}")
    return Side(path, document, rows)


def check_comparable(base, head):
    """Raises Unfit for results of two machines, and GateError for those of different kinds of runs."""
    for keys, error in ((stored_report.MACHINE, Unfit), (CONDITIONS, GateError)):
        for key in keys:
            ours, theirs = base.context.get(key), head.context.get(key)
            if ours != theirs:
                raise error(f"{key} is {ours!r} in {base.origin}, {theirs!r} in {head.origin}")


def missing_rows(base, head, acknowledged):
    """Returns rows that only one side has, as changes. Raises GateError unless they are acknowledged."""
    changes, _ = exact.acknowledge(exact.row_changes(base.rows, head.rows), acknowledged)
    for change in changes:
        if not change.why:
            side = base if change.new == exact.ABSENT else head
            raise GateError(f"only in {side.origin}: {change.row}")
    return changes


def p_values(base, head, names, no_install):
    """Returns {row: p value} from compare.py's dump, without rows that have a single repetition.

    Installs what compare.py needs, unless `no_install`. Raises GateError.
    """
    with tempfile.TemporaryDirectory(prefix="rpycbench-gate-") as folder:
        paths = [os.path.join(folder, name) for name in ("base.json", "head.json", "dump.json")]
        for side, path in zip((base, head), paths):
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"context": side.context,
                           "benchmarks": [row for name in names for row in side.rows[name]]}, file)
        try:
            done = subprocess.run([os.path.join(TOOLS, "compare"), *(["--no-install"] if no_install else []),
                                   f"--dump_to_json={paths[2]}", *paths[:2]],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise GateError(f"tools/compare: did not finish within {PATIENCE} s") from error
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise GateError(f"tools/compare: {said}")
        try:
            with open(paths[2], encoding="utf-8") as file:
                return {entry["name"]: entry["utest"]["time_pvalue"] for entry in json.load(file)
                        if entry["utest"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GateError(f"tools/compare: its dump cannot be read: {error!r}") from error


def share_disturbed(rows):
    """Returns the share of repetitions in which the row did not have the machine to itself."""
    kinds = [{doubt.partition(":")[0] for doubt in doubts_of(row).split(",")} for row in rows]
    return sum(not doubts.isdisjoint(DISTURBED) for doubts in kinds) / len(rows)


class StoredRow:
    """Compares one statistic of a row that both results have, with its verdict."""

    def __init__(self, name, rule, base, head):
        """Takes the repetitions of two sides, (origin, rows) each. Raises GateError for rows without a figure."""
        self.name, self.rule = name, rule
        check_same(base[1][0], head[1][0])
        for origin, rows in (base, head):
            for row in rows:
                for needed in (*TIMES, "iterations"):
                    figure(row, needed, origin)
        self.base, self.head = ([figure(row, rule.statistic, origin) for row in rows]
                                for origin, rows in (base, head))
        self.doubtful = any(map(doubts_of, base[1] + head[1]))
        self.disturbed = max(share_disturbed(rows) for _, rows in (base, head))
        worse = [[math.log(value) for value in side] for side in (self.base, self.head)]
        if rule.higher_is_better:
            worse.reverse()
        self.change, self.low, self.high = map(math.expm1, shift(*worse))
        times = [[math.log(row["real_time"]) for row in rows] for _, rows in (base, head)]
        self.takes_longer = shift(*times)[0] > 0  # in real time, because p has no direction
        self.p, self.verdict, self.reason = None, INCONCLUSIVE, ""

    def judge(self, p, settings, rows):
        """Sets the verdict that `p` leads to, for one of `rows` rows; p is None with a single repetition."""
        self.p, level = p, settings.stored_false_alarms / rows
        counts = len(self.base), len(self.head)
        if min(counts) < settings.min_repetitions:
            self.reason = f"has {min(counts)} repetitions, needs {settings.min_repetitions}"
        elif not isinstance(p, float) or not 0 < p <= 1:
            raise GateError(f"compare.py gave no p value for {self.name}")
        elif self.disturbed > 0.5:
            self.reason = f"other work took CPU time in {self.disturbed:.0%} of a side's repetitions"
        elif self.high < self.rule.stored_limit:
            self.verdict = PASS
        elif self.change < self.rule.stored_limit or self.low <= 0:
            self.reason = "the interval is too wide"
        elif p < level and self.takes_longer:
            self.verdict = REGRESSION
        elif smallest_p(*counts) >= level:
            self.reason = f"needs {repetitions_for(level)} repetitions for a p below {level:.2g}"
        else:
            self.reason = f"p is not below {level:.2g}" if p >= level else "real times became shorter"


def exact_figures(origin, rows):
    """Returns {figure: the values that it has in the repetitions}. Raises GateError."""
    values = {}
    try:
        for row in rows:
            for name, value in exact.figures_of(row).items():
                values.setdefault(name, set()).add(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise GateError(f"{origin}: {rows[0]['name']}: an exact figure is not a number: {error}") from error
    return values


@dataclass
class ExactOfRow:
    """The exact figures of a row of two results.

    It holds the changes, the names of figures that repeat in base and only sometimes in head, and how many
    figures could be compared and could not.
    """
    changes: list
    unsettled: list
    compared: int = 0
    skipped: int = 0


def compare_exact(name, base, head, ledger):
    """Returns the ExactOfRow of two (origin, rows). Raises GateError if head lacks what base has."""
    old, new = (exact_figures(*side) for side in (base, head))
    of_the_ledger = {*exact.OF_THE_LEDGER, exact.REGULAR}
    if not ledger:
        old, new = ({item: values for item, values in side.items() if item not in of_the_ledger} for side in (old, new))
    if lost := sorted(set(old) - set(new)):
        raise GateError(f"{head[0]}: {name} has no {lost[0]}, which base has" +
                        (": measure it with --ledger" if lost[0] in of_the_ledger else ""))
    regular = all(figures.get(exact.REGULAR, {1}) == {1} for figures in (old, new))
    same_calls = len({row.get("iterations") for row in base[1] + head[1]}) == 1

    def comparable(item):
        if len(old.get(item, ())) != 1:
            return False
        if item in of_the_ledger:  # counted in a separate pass
            return regular or item == exact.REGULAR
        # rpyc numbers its requests, and a longer number takes more bytes. A mean therefore depends on how many
        # calls there was time for, unless it is whole on both sides and each call cost the same.
        return same_calls or all(value.is_integer() for value in old[item] | new[item])

    names = sorted(set(old) | set(new))
    compared = list(filter(comparable, names))
    found = ExactOfRow([], [], len(compared), len(names) - len(compared))
    for item in compared:
        (before,), after = old[item], new[item]
        if before not in after:
            found.changes.append(exact.Change(name, item, before, *after) if len(after) == 1 else
                                 exact.Change(name, item, before, exact.IRREGULAR))
        elif len(after) > 1:
            found.unsettled.append(item)
    return found


@dataclass
class StoredResult(GateResult):
    """The result of a gate of two stored results.

    `base` and `head` are Sides. `rows` has a StoredRow for each row and statistic. Figures are counts of what the
    exact tier judges.
    """
    figures: int = 0
    skipped_figures: int = 0
    unsettled: list = field(default_factory=list)  # (row, figure)

    @property
    def unsettled_in_head(self):
        return self.unsettled

    @property
    def judged_rows(self):
        """The number of rows that share the chance of a false alarm: a row has one p for all statistics."""
        return len({row.name for row in self.rows})

    @property
    def timed(self):
        """The rows, because each of them is a figure."""
        return self.rows


def compare(options, settings):
    """Returns the StoredResult of options.results. Raises GateError and Unfit."""
    base, head = (load_side(path, options.rows) for path in options.results)
    check_comparable(base, head)
    acknowledged = exact.load_acknowledged(settings.acknowledged)
    result = StoredResult(base, head, settings, changes=missing_rows(base, head, acknowledged))
    names = [name for name in base.rows if name in head.rows]
    if not names:
        raise GateError("the two results have no row in common")
    found = []
    for name in names:
        sides = [(side.origin, side.rows[name]) for side in (base, head)]
        if not settings.leaves_out(name):
            rules = settings.rules_of(name) or [TimingRule(rows="", statistic="real_time")]
            result.rows += [StoredRow(name, rule, *sides) for rule in rules]
        if settings.is_exact(name):
            ledger = not (settings.without_ledger and re.search(settings.without_ledger, name))
            of_row = compare_exact(name, *sides, ledger)
            found += of_row.changes
            result.unsettled += [(name, item) for item in of_row.unsettled]
            result.figures += of_row.compared
            result.skipped_figures += of_row.skipped
    result.changes += exact.acknowledge(found, acknowledged)[0]
    p = p_values(base, head, names, options.no_install)
    for row in result.rows:
        row.judge(p.get(row.name), settings, result.judged_rows)
    return result


def gate_stored(options, settings, command):
    """Compares options.results, writes the reports and returns the StoredResult. Raises GateError and Unfit."""
    result = compare(options, settings)
    stored_report.write_all(options.out, result, command)
    return result
