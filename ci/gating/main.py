"""ci/gate as a program: what its command line means, the order of things, and the exit status."""

import argparse
import contextlib
import os
import random
import re
import shlex
import signal
import sys
import tempfile
import traceback

from . import calibration, exact, reports, settings as configuration
from .builds import build_tree, copied, copy_build, different_tools
from .errors import GateError, Unfit
from .injection import Injection
from .relink import RelinkError, relink
from .resident import list_rows
from .sequential import INCONCLUSIVE, PASS, REGRESSION, Limits
from .stored import gate_stored
from .timing import Blocks, Residents, TimedRow, decide
from .verdict import EXIT, TOOL_FAILED, UNFIT, GateResult, Machine

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tell(line):
    """One line on stderr, if that is still open."""
    with contextlib.suppress(OSError):
        print(("\r\033[K" if sys.stderr.isatty() else "") + f"gate: {line}", file=sys.stderr, flush=True)


def tell_progress(line):
    """On a terminal only, and in one line that the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\033[Kgate: {line}", end="", file=sys.stderr, flush=True)


def end_progress():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="ci/gate", allow_abbrev=False,
        description="Says whether a change made the suite's rows slower or dearer: of two builds, measured "
        "in turns, or of two stored results.",
        epilog="Exit status: 0 pass, 1 regression, 2 something is broken, 3 inconclusive, 4 the machine is "
        "not fit to measure. ci/README.md has the rest.")
    parser.add_argument("results", nargs="*", metavar="base.json head.json",
                        help="two results of bench_all --benchmark_out, instead of builds")
    parser.add_argument("--base", metavar="REVISION|TREE", help="git revision, or build tree")
    parser.add_argument("--head", metavar="REVISION|TREE", help="likewise; the working tree if not given")
    parser.add_argument("--config", default=os.path.join(REPOSITORY, "ci", "gate.toml"), metavar="FILE")
    parser.add_argument("--out", default=os.path.join(REPOSITORY, "build", "gate", "result"),
                        metavar="FOLDER", help="for gate.json, SUMMARY.md, base.json and head.json")
    parser.add_argument("--rows", default="", metavar="REGEX", help="judge only rows of such names")
    parser.add_argument("--tier", choices=("exact", "timing", "both"), default="both")
    parser.add_argument("--inconclusive", choices=("fail", "pass"), default="fail",
                        help="whether that exits with 3 or with 0")
    parser.add_argument("--seed", type=int, help="of the coins; drawn if not given")
    parser.add_argument("--inject", default="", metavar="spin:5%|syscall|alloc|bytes",
                        help="slow the head's server down on purpose, to see whether the gate notices; the "
                        "head is then the base if not given")
    parser.add_argument("--calibrate", action="store_true",
                        help="measure the base against itself, and replay what gates would have said")
    parser.add_argument("--relink", action="store_true",
                        help="with --calibrate: against the same objects, linked in another order")
    parser.add_argument("--blocks", type=int, default=200, help="with --calibrate: of each row")
    parser.add_argument("--gates", type=int, default=10_000, help="with --calibrate: that are replayed")
    options = parser.parse_args(arguments)
    if options.results:
        if len(options.results) != 2 or options.base or options.head or options.calibrate or (
                options.inject or options.tier != "both"):
            parser.error("either two results, or --base and what goes with it")
    elif not options.base:
        parser.error("--base or two results are wanted")
    for name in ("relink", "blocks", "gates"):
        if getattr(options, name) != parser.get_default(name) and not options.calibrate:
            parser.error(f"--{name} goes with --calibrate")
    if options.calibrate and (options.head or options.tier != "both"):
        parser.error("--calibrate takes no --head and no --tier")
    try:
        re.compile(options.rows)
    except re.error as error:
        parser.error(f"--rows: {options.rows!r} is no regular expression: {error}")
    for name in ("blocks", "gates"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be above 0")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(2**31)
    return options


def timed_rows(names, settings):
    """The rows of the timing tier, which share the gate's chance of a false alarm."""
    chosen = [(name, rule) for name in names if (rule := settings.rule_of(name))]
    return [TimedRow(name, rule, Limits(rule.tolerated, rule.caught, len(chosen), settings.false_alarms,
                                        settings.missed)) for name, rule in chosen]


def control_row(settings):
    rule = settings.rule_of(settings.control) or configuration.TimingRule(rows="")
    return TimedRow(settings.control, rule, Limits(rule.tolerated, rule.caught, 1, settings.false_alarms,
                                                   settings.missed))


def timing_flags(settings, rows):
    names = "|".join(re.escape(name) for name in dict.fromkeys(rows))
    return [*settings.bench_flags(), "--ledger=false", f"--benchmark_min_time={settings.slot_seconds}",
            f"--benchmark_filter=^({names})$"]


class Gate:
    """A gate of two builds."""

    def __init__(self, options, settings, base, head, control, injection):
        self._options, self._settings = options, settings
        self._base, self._head, self._control = base, head, control
        self._injection = injection
        self._result = GateResult(base, head, settings, options.seed, options.inject)

    def run(self):
        machine, result = Machine(), self._result
        result.notes += different_tools(self._base, self._head)
        acknowledged = exact.load_acknowledged(self._settings.acknowledged)
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
        """The rows of both sides. What one side alone has must be acknowledged like a figure's change."""
        wanted = [[row for row in list_rows(build, self._settings.bench_flags())
                   if re.search(self._options.rows, row)
                   and (self._settings.is_exact(row) or self._settings.rule_of(row))]
                  for build in (self._base, self._head)]
        self._result.changes += exact.row_changes(*wanted)
        unexplained = [change for change in exact.acknowledge(self._result.changes, acknowledged)[0]
                       if not change.why]
        if unexplained:
            change, more = unexplained[0], len(unexplained) - 1
            side = "base" if change.old == exact.PRESENT else "head"
            raise GateError(f"{change.row}{f' and {more} more rows' if more else ''}: only one side has it, "
                            f"{side}; if that is wanted, acknowledge it (figure = \"{exact.PRESENCE}\", "
                            f"old = \"{change.old}\", new = \"{change.new}\")")
        common = [row for row in wanted[0] if row in set(wanted[1])
                  and (self._injection is None or self._injection.fits(row))]
        if not common:
            raise GateError("base and head have no row in common that is to be judged")
        return common

    def _count(self, names):
        rows = [name for name in names if self._settings.is_exact(name)]
        if not rows:
            return
        inject = self._injection.of_every_row if self._injection else ""
        result = exact.compare(self._base, self._head, rows, self._settings, tell_progress, inject)
        counted = [row for row in self._settings.instructions if row in names]
        exact.compare_instructions(self._base, self._head, counted, self._settings, tell_progress, result,
                                   inject)
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
        with Residents(flags) as residents:
            blocks = Blocks(residents, self._base, self._head, self._control,
                            random.Random(self._options.seed), self._settings.slots)
            if self._injection:
                for row in rows:
                    row.inject, row.injected_share = self._injection.for_row(row, blocks.probe)
            self._result.timing_seconds = decide(blocks, residents, rows, control, self._settings,
                                                 self._options.seed, tell_progress)
        for row in rows:
            if row.verdict == PASS and not any(row.rule.statistic in slot for slot in row.head_slots):
                raise GateError(f"head: {row.name} has no {row.rule.statistic}, which base has")
        self._result.timed, self._result.control = rows, control


def say(result, folder):
    """The verdict on stdout, in a few lines."""
    print(f"{result.verdict}: {result.base.version} → {result.head.version}")
    for change in result.unacknowledged[:10]:
        print(f"  {change.row}: {change.figure} {change.old} → {change.new}")
    if len(result.unacknowledged) > 10:
        print(f"  … and {len(result.unacknowledged) - 10} more exact figures")
    for row in result.rows_with(REGRESSION) if result.fit else ():
        print(f"  {row.name}: {row.rule.statistic} {reports.percent(row.change)}")
    if inconclusive := result.rows_with(INCONCLUSIVE):
        print(f"  {len(inconclusive)} of {len(result.timed)} rows were not cleared")
    print(f"  {os.path.join(folder, 'SUMMARY.md')}")


def calibrate(options, settings):
    injection = Injection(options.inject) if options.inject else None
    with tempfile.TemporaryDirectory(prefix="rpycbench-gate-") as folder:
        base_folder, head_folder = (os.path.join(folder, name) for name in ("base", "head"))
        tree, flags = build_tree(REPOSITORY, options.base, tell), settings.bench_flags()
        base = copy_build("base", tree, base_folder, flags)
        if options.relink:
            relink(tree, head_folder, options.seed)
            head = copied("head", tree, head_folder, flags)
        else:
            head = copy_build("head", tree, head_folder, flags)
        names = [name for name in list_rows(base, flags) if re.search(options.rows, name)]
        rows = timed_rows(names, settings)
        if not rows:
            raise GateError("no row of the timing tier has such a name")
        held = calibration.calibrate(base, head, rows, timing_flags(settings, [row.name for row in rows]),
                                     injection, settings, options, tell_progress)
    end_progress()
    print(os.path.join(options.out, "CALIBRATION.md"))
    return 0 if held else EXIT[UNFIT]


def gate_builds(options, settings):
    injection = Injection(options.inject) if options.inject else None
    flags = settings.bench_flags()
    with tempfile.TemporaryDirectory(prefix="rpycbench-gate-") as folder:
        def copy(name, tree):
            return copy_build(name, tree, os.path.join(folder, name), flags)

        tree = build_tree(REPOSITORY, options.base, tell)
        # Before the head is built, which may be in the same tree.
        base, control = copy("base", tree), copy("same", tree)
        if options.head != options.base and not (injection and options.head is None):
            tree = build_tree(REPOSITORY, options.head, tell)
        head = copy("head", tree)
        result = Gate(options, settings, base, head, control, injection).run()
    end_progress()
    reports.write_all(options.out, result, command_line())
    return conclude(result, options)


def gate_results(options, settings):
    return conclude(gate_stored(options, settings, command_line()), options)


def command_line():
    return shlex.join(["ci/gate", *sys.argv[1:]])


def conclude(result, options):
    """Says the verdict. Returns the exit status."""
    say(result, options.out)
    if result.verdict == INCONCLUSIVE and options.inconclusive == "pass":
        return 0
    return EXIT[result.verdict]


def main(arguments):
    def stop(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        options = parse(arguments)
        reports.prepare(options.out, calibration.FILES if options.calibrate else reports.FILES,
                        options.results)
        settings = configuration.load(options.config)
        gate = gate_results if options.results else calibrate if options.calibrate else gate_builds
        return gate(options, settings)
    except (GateError, RelinkError) as error:
        tell(str(error))
        return TOOL_FAILED
    except Unfit as error:
        tell(str(error))
        return EXIT[UNFIT]
    except OSError as error:
        tell(str(error))
        return TOOL_FAILED
    except KeyboardInterrupt:
        tell("interrupted")
        return 128 + signal.SIGINT
    except Exception:  # whose own exit status would say "regression"
        traceback.print_exc()
        return TOOL_FAILED
