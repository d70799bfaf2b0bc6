"""Gates two builds: finds their common rows, runs the exact and the timing tier, and gathers the result."""

import math
import random
import re

from common.resident import list_rows  # in tools/

from . import exact
from .builds import different_tools
from .errors import GateError
from .rounds import decide, log_mean_e
from .sequential import PASS, Limits
from .settings import TimingRule
from .timing import Blocks, Residents, TimedFigure, TimedRow
from .verdict import GateResult, Machine


def timed_rows(names, settings):
    """Returns the rows of the timing tier; their figures share the gate's chance of a false alarm."""
    rules = {name: settings.rules_of(name) for name in names}
    count = sum(map(len, rules.values()))
    return [TimedRow(name, [TimedFigure(name, rule, Limits(rule.tolerated, rule.caught, count, settings.false_alarms,
                                                           settings.missed)) for rule in rules[name]])
            for name in names if rules[name]]


def control_row(settings):
    """Returns the control row, which is judged by its first statistic."""
    rule = (settings.rules_of(settings.control) or [TimingRule(rows="")])[0]
    limits = Limits(rule.tolerated, rule.caught, 1, settings.false_alarms, settings.missed)
    return TimedRow(settings.control, [TimedFigure(settings.control, rule, limits)])


def timing_flags(settings, rows):
    """Returns the flags of bench_all for the timing tier."""
    names = "|".join(re.escape(name) for name in dict.fromkeys(rows))
    return [*settings.bench_flags(), "--ledger=false", f"--benchmark_filter=^({names})$"]


class BuildGate:
    """Gates two builds and their `control`, a copy of base.

    It continues with what the `journal` has. It reports its progress, but no verdict, to `tell`.
    """

    def __init__(self, options, settings, base, head, control, injection, acknowledged, journal, tell):
        self._options, self._settings, self._tell = options, settings, tell
        self._acknowledged, self._journal = acknowledged, journal
        self._base, self._head, self._control = base, head, control
        self._injection = injection
        self._result = GateResult(base, head, settings, options.seed, options.inject)

    def run(self):
        """Runs both tiers and returns the GateResult. Raises GateError."""
        machine, result = Machine(), self._result
        acknowledged = self._acknowledged.entries
        result.notes += different_tools(self._base, self._head) + self._acknowledged.notes
        result.stale = self._acknowledged.stale
        common = self._common_rows(acknowledged)
        if self._options.tier != "timing":
            self._count(common)
        if self._options.tier != "exact":
            self._time(common)
        result.changes, unused = exact.acknowledge(result.changes, acknowledged)
        counted = [row["name"] for row in result.exact.base_rows] if result.exact else []
        result.unused = [entry for entry in unused if any(exact.covers(entry, row) for row in counted)]
        result.machine = machine.facts()
        return result

    def _common_rows(self, acknowledged):
        """Returns the rows of both sides. A row of only one side must be acknowledged like a changed figure."""
        listed = [list_rows(build.name, build.bench_all, self._settings.bench_flags())
                  for build in (self._base, self._head)]
        self._settings.check_rows(list(dict.fromkeys(listed[0] + listed[1])))
        wanted = [[row for row in rows if re.search(self._options.rows, row)
                   and (self._settings.is_exact(row) or self._settings.rules_of(row))] for rows in listed]
        self._result.changes += exact.row_changes(*wanted)
        unexplained = [change for change in exact.acknowledge(self._result.changes, acknowledged)[0]
                       if not change.why]
        if unexplained:
            change, more = unexplained[0], len(unexplained) - 1
            side = "base" if change.old == exact.PRESENT else "head"
            raise GateError(f"{change.row}{f' and {more} more rows' if more else ''}: only one side has it, "
                            f"{side}; if that is intended, acknowledge it (figure = \"{exact.PRESENCE}\", "
                            f"old = \"{change.old}\", new = \"{change.new}\")")
        common = [row for row in wanted[0] if row in set(wanted[1])]
        tiers = {"exact": list(filter(self._settings.is_exact, common)),
                 "timing": list(filter(self._settings.rules_of, common))}
        if self._options.tier in tiers:
            common = tiers[self._options.tier]
        if not common:
            raise GateError("base and head have no row in common that is to be judged")
        if self._injection and not self._injection.hits_any(tiers, self._options.tier):
            raise GateError(f"--inject: {self._injection.text} cannot be injected into any row that is judged")
        return common

    def _count(self, names):
        rows = [name for name in names if self._settings.is_exact(name)]
        if not rows:
            return
        result = self._journal.exact
        if result is None:
            inject = self._injection.when_counting if self._injection else lambda _: ""
            result = exact.compare(self._base, self._head, rows, self._settings, self._tell, inject)
            counted = [row for row in self._settings.instructions if row in names]
            exact.compare_instructions(self._base, self._head, counted, self._settings, self._tell, result, inject)
            self._journal.add_exact(result)
        self._result.exact = result
        self._result.changes += result.changes
        self._result.notes += result.notes
        if not any(row.get("ledger_exact") == 1 for row in result.base_rows):
            self._result.notes.append("no row has a ledger here: system calls and allocations were not "
                                      "compared")

    def _time(self, names):
        rows = timed_rows(names, self._settings)
        if not rows:
            return
        control = control_row(self._settings)
        flags = timing_flags(self._settings, [*(row.name for row in rows), control.name])
        coins = random.Random(self._options.seed)
        with Residents(flags) as residents:
            blocks = Blocks(residents, self._base, self._head, self._control, coins, self._settings)
            if self._injection:
                self._inject(rows, blocks)
            spent, highest = self._take_up(rows, control, coins)
            result = self._result
            result.timing_seconds, result.highest_log_e = decide(
                blocks, residents, rows, control, self._settings, self._options.seed + 1 + len(self._journal.blocks),
                self._tell, record=self._journal.add_block, spent=spent, highest=highest)
        for row in rows:
            for timed in row.figures:
                if timed.verdict == PASS and not any(timed.rule.statistic in slot for slot in row.head_slots):
                    raise GateError(f"head: {row.name} has no {timed.rule.statistic}, which base has")
        result.rows, result.control = rows, control

    def _inject(self, rows, blocks):
        """Injects slowdowns into the head's server, the same as an earlier gate that this one continues."""
        if self._journal.inject is None:
            for row in rows:
                self._injection.give(row, blocks.probe)
            self._journal.add_inject({row.name: row.inject for row in rows})
        else:
            for row in rows:
                row.inject = self._journal.inject[row.name]

    def _take_up(self, rows, control, coins):
        """Gives the rows the blocks that an earlier gate measured.

        Returns the seconds that it spent, and the highest ln of the mean E so far.
        """
        by_name = {row.name: row for row in rows}
        spent, highest = 0.0, -math.inf
        for name, is_control, block, spent in self._journal.blocks:
            (control if is_control else by_name[name]).add(block)
            coins.randrange(2)  # skip the coins that the earlier gate has thrown
            highest = max(highest, log_mean_e(rows))
        return spent, highest
