"""Runs bench_all to list the rows of a point and to measure them.

A signal that ends the sweep ends the running child first. If the sweep is killed, the child ends
too.
"""

import datetime
import hashlib
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from common.resident import ENDS_WITH_PARENT
from common.result_rows import Unusable, spell_out_dialect

from .plan import check, filter_of, flags_of

LIST = "--benchmark_list_tests"


class Stop:
    """Handles SIGINT and SIGTERM: `signal` is the first that came; it also ends a running child."""

    def __init__(self):
        self.signal, self.child = None, None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number, _):
        self.signal = self.signal or number
        if self.child:
            self.child.terminate()

    def wait(self, child):
        """Waits for the child's end and returns its exit status."""
        self.child = child
        if self.signal:
            child.terminate()
        status = child.wait()
        self.child = None
        return status


def complaint(stderr, status):
    """Returns the last message of a failed bench_all, in one line."""
    said = [line.removeprefix("bench_all: ") for line in stderr.splitlines()
            if line.startswith("bench_all: ")]
    if status < 0:
        return f"bench_all was ended by {signal.Signals(-status).name}"
    return said[-1] if said else f"bench_all exited with status {status}"


def call(bench_all, flags):
    """Makes a short call and returns (status, stdout, stderr)."""
    try:
        done = subprocess.run([bench_all, *flags], stdin=subprocess.DEVNULL, capture_output=True,
                              encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise Unusable(f"{bench_all}: {error.strerror}") from error
    return done.returncode, done.stdout, done.stderr


def known_flags(bench_all):
    """Returns the names of all flags of bench_all."""
    status, output, stderr = call(bench_all, ["--help"])
    check(status == 0, f"{bench_all} --help: {complaint(stderr, status)}")
    return set(re.findall(r"^  --(\w+)[=,]", output, re.MULTILINE))


def program_of(plan, bench_all, bench_server):
    """Returns digests of the programs, which tell one build from another."""
    server = plan["flags"].get("server", bench_server)
    files = {"bench_all": pathlib.Path(bench_all), "bench_server": pathlib.Path(server)}
    try:
        return {name: hashlib.sha256(file.read_bytes()).hexdigest()[:16]
                for name, file in files.items() if name == "bench_all" or file.exists()}
    except OSError as error:
        raise Unusable(f"{error.filename}: {error.strerror}") from error


def listed(plan, point, bench_all):
    """Returns the point with its rows' names. Raises Unusable for a bad value or unknown row."""
    flags = flags_of(plan, point)
    status, names, stderr = call(bench_all, [*flags, LIST])
    missing = [row for row in point.rows
               if not re.search(filter_of(point.mode, [row]), names, re.MULTILINE)]
    if status == 0 and not missing:
        return point._replace(names=tuple(names.split()))
    where = f"grid {point.grid}"
    if status != 0 and "match any" not in stderr:
        raise Unusable(f"{where}: {complaint(stderr, status)}")
    others = call(bench_all, [f"--benchmark_filter={filter_of('[a-z0-9_]+', missing)}", *flags[1:],
                              LIST])[1]
    modes = dict.fromkeys(name.split("/")[1] for name in others.split())
    raise Unusable(f"{where}: {point.mode} has no row {missing[0]} here; " + (
        f"modes that have it: {', '.join(modes)}" if modes else "no other mode has it either"))


def measure(plan, point, number, each, bench_all, stop):
    """Measures a point once and returns (run, rows, errors), or None if a signal came meanwhile."""
    run = {"point": number, "round": each,
           "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rpycbench_sweep_") as folder:
        out, said = pathlib.Path(folder, "results.json"), pathlib.Path(folder, "stderr")
        with open(said, "wb") as stderr:
            child = subprocess.Popen(
                [*ENDS_WITH_PARENT, bench_all, *flags_of(plan, point, each),
                 f"--benchmark_out={out}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
            status = stop.wait(child)
        if stop.signal:
            return None
        try:
            document = json.loads(out.read_text(encoding="utf-8"))
            spell_out_dialect(document)  # the context that all runs share may lack it
            rows, errors = document["benchmarks"], document.get("errors", [])
        except (OSError, ValueError, KeyError):
            document, rows, errors = {"context": {}}, [], []
        rows = [row for row in rows if row.get("run_type") != "aggregate"]
        lost = set(point.names) - {row["name"] for row in rows + errors}
        reason = complaint(said.read_text(encoding="utf-8", errors="replace"), status)
    conditions = " ".join(f"{key}={value}" for key, value in point.values.items())
    errors = [error | {"label": conditions} for error in errors] + [
        {"name": name, "message": f"not measured: {reason}", "label": conditions}
        for name in point.names if name in lost]
    rows, errors = ([row | {"place": point.names.index(row["name"])} for row in found]
                    for found in (rows, errors))
    run |= {"seconds": round(time.monotonic() - begin, 1), "failed": len(errors),
            "context": document["context"]}
    return run, rows, errors
