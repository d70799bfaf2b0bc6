"""Runs bench_all, which a test gets as its argument (`some_test.py bench_all`), and reads its rows.

Tests that import this also find the modules that tools and servers share with their tests.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[1:1] = [str(ROOT / "tools"), str(ROOT / "servers" / "reference")]
if len(sys.argv) < 2:
    sys.exit(f"usage: {pathlib.Path(sys.argv[0]).name} <bench_all>")
BENCH_ALL = pathlib.Path(sys.argv.pop(1)).resolve()
BENCH_SERVER = BENCH_ALL.with_name("bench_server")
PATIENCE = 120  # seconds; a passing run takes less than 10

HAS_SANITIZER = not BENCH_ALL.with_name("allocation_count.so").exists()
needs_ledger = unittest.skipIf(HAS_SANITIZER, "a build with a sanitizer has no ledger")
needs_real_costs = unittest.skipIf(HAS_SANITIZER, "a sanitizer takes memory and time of its own")


def run(*flags, command=(BENCH_ALL,), pairs=False, **how):
    """Runs bench_all, or another command, and returns the finished process.

    Leaves out pairs, which most tests have no use for, unless `pairs` is set.
    Servers in Python run in this interpreter. Builds with a sanitizer say so first, which is left
    out of stderr.
    """
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
           "text": True, "timeout": PATIENCE} | how
    own = [] if pairs else ["--no_pairs"]
    done = subprocess.run([*command, f"--python={sys.executable}", *own, *flags], check=False, **how)
    done.stderr = "".join(line for line in (done.stderr or "").splitlines(keepends=True)
                          if not line.startswith("bench_all: warning: built with "))
    return done


def rows_of(done, status=0):
    """Returns the rows that a run printed as JSON, by name without what the framework appends.

    Rows that ended in an error are among them. Fails if the run ended with another status.
    """
    if done.returncode != status or not done.stdout:
        raise AssertionError(f"bench_all exited with {done.returncode}: {done.stderr}")
    return {re.split("/(?:iterations:|real_time|manual_time)", row["name"])[0]: row
            for row in json.loads(done.stdout)["benchmarks"]}


def measure(*flags, **how):
    """Returns the rows of a run in which all were measured, by name."""
    return rows_of(run("--benchmark_format=json", *flags, **how))


def report_of(*flags, **how):
    """Returns the finished process of a run, and the content of its file of results or None."""
    with tempfile.TemporaryDirectory(prefix="rpycbench_") as folder:
        out = pathlib.Path(folder, "results.json")
        done = run(f"--benchmark_out={out}", *flags, **how)
        return done, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


@contextlib.contextmanager
def busy(cpus):
    """Keeps a process busy on each of these CPUs, which may have the same one several times."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                  preexec_fn=lambda cpu=cpu: os.sched_setaffinity(0, [cpu]))
                 for cpu in cpus]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
