"""Runs tools/sweep.

    sweep sweep.toml -o results.json [--report report.html] [--list] [--retry_failed] [--fresh]
    sweep --merge here.json there.json -o all.json

Exit 0: everything is measured. 1: it is, but some rows failed. 2, with one line on stderr and nothing
written: the declaration, the results or a file cannot be used. 130 and 143: SIGINT or SIGTERM.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

from common.command import run
from common.result_rows import Unusable

from .hosts import look
from .plan import check, load_plan, points_of, runs_of
from .results import SweepResults, merge
from .running import Stop, known_flags, listed, measure, program_of

REPORT = pathlib.Path(__file__).resolve().parents[1] / "report"
START_S, ROW_S, ROW_TIMES = 0.3, 0.02, 2  # seconds per run and per row, and min_time's multiple per row


def arguments():
    """Parses the command line; exits with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(prog="sweep", allow_abbrev=False, description="Measures a "
                                     "parameter sweep, and continues one that was interrupted.")
    parser.add_argument("plan", nargs="?", metavar="sweep.toml", type=pathlib.Path)
    parser.add_argument("-o", dest="out", metavar="results.json", type=pathlib.Path)
    parser.add_argument("--report", metavar="report.html", type=pathlib.Path,
                        help="also write a report, made by tools/report")
    parser.add_argument("--list", action="store_true",
                        help="print the points and about how long they take; measure nothing")
    parser.add_argument("--retry_failed", action="store_true",
                        help="repeat runs in which a row failed")
    parser.add_argument("--fresh", action="store_true", help="start over and overwrite the results")
    parser.add_argument("--merge", nargs="+", metavar="results.json",
                        help="merge what several hosts measured by one plan, instead of measuring")
    parser.add_argument("--bench_all", metavar="FILE", help="the program to run")
    parser.add_argument("--bench_server", metavar="FILE", help="the server that it starts, which "
                        "identifies the build (default: the one in the folder of bench_all)")
    given = parser.parse_args()
    if bool(given.merge) == bool(given.plan):
        parser.error("give either sweep.toml or --merge")
    if not given.out and not given.list:
        parser.error("-o results.json is required")
    if given.bench_all and not given.bench_server:
        given.bench_server = pathlib.Path(given.bench_all).with_name("bench_server")
    return given


def clock(seconds):
    """Writes seconds as 1:20 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def say(text):
    print(text.replace("\n", " "), file=sys.stderr, flush=True)


class Estimate:
    """Estimates how long runs take, from earlier runs of the point or else from its number of rows."""

    def __init__(self, plan, points, runs):
        row_s = ROW_S + ROW_TIMES * plan["min_time"]
        self.expected = [START_S + row_s * len(point.names) for point in points]
        self.taken = {}
        for run in runs:
            self.add(run)

    def add(self, run):
        self.taken.setdefault(run["point"], []).append(run["seconds"])

    def of(self, numbers):
        """Returns the seconds for these points; measured points correct the estimate of the others."""
        means = {number: statistics.mean(taken) for number, taken in self.taken.items()}
        expected = sum(self.expected[number] for number in means)
        factor = sum(means.values()) / expected if means else 1
        return sum(means.get(number, factor * self.expected[number]) for number in numbers)


def list_points(plan, points, estimate):
    """Prints all points with the time that each should take, and the totals."""
    runs = runs_of(plan, points)
    for number, point in enumerate(points):
        lists = "".join(f" {key}={','.join(map(str, values))}"
                        for key, values in point.lists.items())
        print(f"{number + 1:4}  {point}{lists}  ({len(point.names)} rows, about "
              f"{clock(estimate.of([number]))})")
    print(f"{len(points)} points, {plan['repetitions']} rounds, {len(runs)} runs, "
          f"{sum(len(points[number].names) for _, number in runs)} rows: about "
          f"{clock(estimate.of(number for _, number in runs))}")


def check_points(points):
    """Raises Unusable if two points have a row in common under the same conditions."""
    seen = {}
    for point in points:
        for name in point.names:
            condition = name, tuple(sorted(point.values.items(), key=str))
            check(condition not in seen, f"grids {seen.get(condition)} and {point.grid} both have "
                  f"{name} under the same conditions")
            seen[condition] = point.grid


def prepare(given):
    """Returns (plan, points) of the declaration. Raises Unusable for what bench_all would refuse."""
    plan = load_plan(given.plan)
    unknown = sorted((set(plan["flags"]) | {key for grid in plan["grid"] for key in grid})
                     - {"modes", "rows"} - known_flags(given.bench_all))
    check(not unknown, f"{given.plan}: bench_all has no flag --{''.join(unknown[:1])}")
    try:
        points = [listed(plan, point, given.bench_all) for point in points_of(plan)]
        check_points(points)
    except Unusable as reason:
        raise Unusable(f"{given.plan}: {reason}") from reason
    return plan, points


def check_writable(path):
    """Raises Unusable if the file cannot be written."""
    folder = path.parent
    check((path.is_file() or not path.exists()) and folder.is_dir() and os.access(folder, os.W_OK),
          f"{path}: cannot be written")


def go_through(plan, points, results, bench_all, stop):
    """Measures all missing runs in their order; stops after a signal."""
    runs = runs_of(plan, points)
    done = results.done()
    estimate = Estimate(plan, points, results.runs)
    launcher = plan["flags"].get("server_launcher", "")
    begin = time.monotonic()
    for at, (each, number) in enumerate(runs):
        if stop.signal:
            return
        if (each, number) in done:
            continue
        left = estimate.of(other for round_, other in runs[at:] if (round_, other) not in done)
        say(f"[{at + 1}/{len(runs)}] round {each + 1}: {points[number]}  "
            f"{clock(time.monotonic() - begin)}, about {clock(left)} left")
        hosts, load = look(launcher)
        found = measure(plan, points[number], number, each, bench_all, stop)
        if found is None:
            return
        run, rows, errors = found
        run["load"] = load
        if hosts != results.hosts:
            run["hosts"] = hosts
            say("sweep: warning: the facts of a host have changed since the sweep began")
        for error in errors:
            say(f"sweep: failed: {error['name']}: {error['message']}")
        estimate.add(run)
        results.add(run, rows, errors)
        results.write()


def sweep(given, stop):
    """Runs or continues a sweep and returns the exit status."""
    plan, points = prepare(given)
    if given.list:
        list_points(plan, points, Estimate(plan, points, []))
        return 0
    check_writable(given.out)
    hosts, _ = look(plan["flags"].get("server_launcher", ""))
    total = len(points) * plan["repetitions"]
    program = program_of(plan, given.bench_all, given.bench_server)
    results = SweepResults(given.out, plan, program, hosts, total)
    if given.out.exists() and not given.fresh:
        before = SweepResults.read(given.out)
        before.check_same(results)
        results = before
        if given.retry_failed:
            results.forget_failed()
    if len(results.runs) == total:
        say(f"sweep: {given.out} is finished: {total} of {total} runs")
    else:
        if results.runs:
            say(f"sweep: continuing after {len(results.runs)} of {total} runs")
        go_through(plan, points, results, given.bench_all, stop)
    if stop.signal:
        say(f"sweep: stopped; {len(results.runs)} of {total} runs are kept; the same command "
            "continues")
        return 128 + stop.signal
    if failed := len(results.failed()):
        say(f"sweep: {failed} runs with failed rows; --retry_failed repeats them")
    return 1 if failed else 0


def main():
    given = arguments()
    stop = Stop()
    try:
        if given.merge:
            check_writable(given.out)
            merge(given.merge, given.out).write()
            status = 0
        else:
            status = sweep(given, stop)
    except Unusable as reason:
        if stop.signal:  # the child may have received it as well
            return 128 + stop.signal
        say(f"sweep: {reason}")
        return 2
    if given.report and not given.list and status < 128:
        made = subprocess.run([REPORT, given.out, "-o", given.report], check=False).returncode
        status = made or status
    return status


if __name__ == "__main__":
    run("sweep", main)
