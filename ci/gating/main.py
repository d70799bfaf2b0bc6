"""Runs ci/gate as a program: the order of its steps, its messages and its exit status."""

import os
import re
import shlex
import signal
import sys
import tempfile
import traceback

from common.resident import ProgramFailed, list_rows  # in tools/

from . import calibration, exact, reports, settings as configuration
from .acknowledging import acknowledged_since
from .arguments import COMMAND, REPOSITORY, parse
from .build_gate import BuildGate, timed_rows, timing_flags
from .builds import PROGRAMS, build_tree, committed_text, copied, copy_again, copy_build, is_tree
from .errors import GateError, Unfit
from .injection import Injection
from .journal import NAME, Journal, digest
from .layers import layers_of, looks_slower
from .locks import held
from .relink import RelinkError, relink
from .sequential import INCONCLUSIVE, REGRESSION
from .stored import gate_stored
from .verdict import EXIT, TOOL_FAILED, UNFIT


def tell(line):
    """Prints one line on stderr, unless that is closed."""
    try:
        print(("\r\033[K" if sys.stderr.isatty() else "") + f"gate: {line}", file=sys.stderr, flush=True)
    except OSError:  # otherwise the interpreter would try again as it ends, and exit with status 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def tell_progress(line):
    """Prints progress on a terminal only, in one line that the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\033[Kgate: {line}", end="", file=sys.stderr, flush=True)


def end_progress():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def say(result, folder):
    """Prints the verdict on stdout, in a few lines."""
    print(f"{result.verdict}: {result.base.version} → {result.head.version}")
    for change in result.unacknowledged[:10]:
        print(f"  {change.row}: {change.figure} {change.old} → {change.new}")
    if len(result.unacknowledged) > 10:
        print(f"  … and {len(result.unacknowledged) - 10} more exact figures")
    for timed in result.timed_with(REGRESSION) if result.fit else ():
        print(f"  {timed.name}: {timed.rule.statistic} {reports.percent(timed.change)}")
    if result.alarms and result.fit and sum(map(looks_slower, result.rows)) > 1:
        print("  many rows, by layer: " + ", ".join(
            f"{layer.name} {layer.slower} of {layer.rows} ({reports.percent(layer.change)})"
            for layer in layers_of(result.rows) if layer.slower))
    if open_rows := [row for row in result.rows if row.verdict == INCONCLUSIVE]:
        print(f"  {len(open_rows)} of {len(result.rows)} rows were not cleared")
    for row, figure in result.unsettled_in_head[:10]:
        print(f"  {row}: {figure} repeats in base and only sometimes in head")
    for note in result.notes:
        print(f"  note: {note}")
    print(f"  {os.path.join(folder, 'SUMMARY.md')}")


def copied_builds(options, settings, folder):
    """Returns (base, head, control) as Builds in the folder, built if necessary."""
    base_folder, head_folder, control_folder = (os.path.join(folder, name) for name in ("base", "head", "same"))
    flags, may_install = settings.bench_flags(), not options.no_install
    tree = build_tree(REPOSITORY, options.base, tell, may_install)
    # This comes before the head is built, which may be in the same tree.
    base = copy_build("base", tree, base_folder, flags)
    control = copy_again(base, "same", control_folder)
    if options.relink:
        relink(tree, head_folder, options.seed)
        return base, copied("head", tree, head_folder, flags), control
    if options.head != options.base and not ((options.inject or options.calibrate) and options.head is None):
        tree = build_tree(REPOSITORY, options.head, tell, may_install)
    return base, copy_build("head", tree, head_folder, flags), control


def acknowledged(options, settings, base):
    """Returns the entries of head's file of acknowledged changes.

    Entries that base's own file has are for changes before base, and do not count. A head that is a revision has its
    own file; otherwise the file in the configuration's folder counts. If base is a build tree of an unknown revision,
    its entries are unknown, and a note reports it.
    """
    path = settings.acknowledged
    if options.head is None or is_tree(options.head) or not REPOSITORY:
        entries = exact.load_acknowledged(path)
    else:
        entries = exact.parse_acknowledged(committed_text(REPOSITORY, options.head, path), f"{path} of {options.head}")
    revision = options.base
    if is_tree(revision):
        revision = str(base.context.get("git_revision", "")).removesuffix("+dirty")
    return acknowledged_since(REPOSITORY, path, entries, revision)


def alone():
    """Returns a lock, because gates of one repository that build or measure at once would measure each other."""
    return held(REPOSITORY and os.path.join(REPOSITORY, "build", "gate", "lock"),
                lambda: tell("waiting until another gate is done"))


def calibrate(options, settings):
    """Runs a calibration and returns the exit status. Raises GateError."""
    injection = Injection(options.inject, options.inject_rows) if options.inject else None
    with alone(), tempfile.TemporaryDirectory(prefix="rpycbench-gate-") as folder:
        base, head, _ = copied_builds(options, settings, folder)
        listed = list_rows(base.name, base.bench_all, settings.bench_flags())
        names = [name for name in listed if re.search(options.rows, name)]
        settings = settings.pinned(head.context)
        rows = timed_rows(names, settings)
        if not rows:
            raise GateError("no row of the timing tier has such a name")
        held_bound = calibration.calibrate(base, head, rows, timing_flags(settings, [row.name for row in rows]),
                                           injection, settings, options, tell_progress)
    end_progress()
    print(os.path.join(options.out, "CALIBRATION.md"))
    return 0 if held_bound else EXIT[UNFIT]


def gate_builds(options, settings):
    """Gates two builds, writes the reports and returns the exit status. Raises GateError."""
    injection = Injection(options.inject, options.inject_rows) if options.inject else None
    if options.resume and options.seed is None:
        options.seed = Journal.seed_in(options.out)
    with alone(), tempfile.TemporaryDirectory(prefix="rpycbench-gate-") as folder:
        base, head, control = copied_builds(options, settings, folder)
        settings = settings.pinned(head.context)
        journal = Journal(options.out, {
            "seed": options.seed, "base": digest(base.folder, PROGRAMS), "head": digest(head.folder, PROGRAMS),
            "configuration": repr(settings), "--rows": options.rows, "--tier": options.tier,
            "--inject": [options.inject, options.inject_rows]}, options.resume)
        result = BuildGate(options, settings, base, head, control, injection,
                           acknowledged(options, settings, base), journal, tell_progress).run()
    end_progress()
    reports.write_all(options.out, result, command_line())
    journal.remove()
    return conclude(result, options)


def gate_results(options, settings):
    return conclude(gate_stored(options, settings, command_line()), options)


def command_line():
    return f"{COMMAND} {shlex.join(sys.argv[1:])}"


def conclude(result, options):
    """Prints the verdict, if stdout is still open. Returns the exit status."""
    try:
        say(result, options.out)
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if result.verdict == INCONCLUSIVE and options.inconclusive == "pass":
        return 0
    return EXIT[result.verdict]


def refuse_folder(folder):
    raise GateError(f"{folder}: another gate is about to write there; give another folder with --out")


def main(arguments):
    def stop(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    for stream in (sys.stdout, sys.stderr):
        if stream:  # None if the caller closed it
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        options = parse(arguments)
        with held(options.out, lambda: refuse_folder(options.out)):
            reports.prepare(options.out, calibration.FILES if options.calibrate else reports.FILES,
                            options.results, [NAME] if options.resume else [])
            settings = configuration.load(options.config)
            gate = gate_results if options.results else calibrate if options.calibrate else gate_builds
            return gate(options, settings)
    except (GateError, ProgramFailed, RelinkError, OSError) as error:
        tell(str(error))
        return TOOL_FAILED
    except Unfit as error:
        tell(str(error))
        return EXIT[UNFIT]
    except KeyboardInterrupt:
        tell("interrupted")
        return 128 + signal.SIGINT
    except Exception:  # the interpreter would exit with status 1, which means "regression"
        traceback.print_exc()
        return TOOL_FAILED
