"""Counts the instructions that a call costs the client and the server, with valgrind's callgrind.

The slope between runs with different numbers of calls excludes the cost of start, connection and
end. It counts instructions of user space, on the processor that valgrind emulates. That processor
may choose other variants of memcpy and similar functions than the real one.

Client and server share one CPU and take turns in a fixed order. Otherwise an event loop would
sometimes find a request ready and sometimes wait for it. Real-time priorities fix the order if the
user may have them, otherwise niceness. With niceness, event loops and thread pools vary on a busy
CPU. They also look at the clock once a second.

The same program repeats to the unit. Linked in another order it may not: what libc's string
functions do depends on where strings are in memory. That has cost up to 15 instructions, or 0.4 %.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import re
import secrets
import select
import shutil
import signal
import subprocess
import tempfile

from common import description
import time

CALLS = (10, 20, 30)
TIMEOUT = 60  # seconds for a run; most take 1
PACKAGES = {"valgrind": "valgrind", "setpriv": "util-linux", "taskset": "util-linux",
            "chrt": "util-linux", "nice": "coreutils"}
# The function that makes a row's calls. The client's start varies with the port and is not counted.
COUNTED_IN_CLIENT = "*::MakeCalls(rpycbench::net::Endpoint const&, long)"
# A forked session starts with all that its parent has counted, and calls this function first.
ZEROED_IN_SESSION = "prctl"
TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class Unavailable(Exception):
    """Says why instructions cannot be counted on this machine."""


class CountingError(Exception):
    """Says which side failed or took too long, and what it wrote to stderr."""


@dataclasses.dataclass(frozen=True)
class Instructions:
    """Instructions per call on each side, and whether they repeat to the unit.

    They do if every step from one number of calls to the next gives the same, or a second count
    gives the same as the first.
    """
    client: float
    server: float
    exact: bool


def instructions_per_call(build, row, *, calls=CALLS, server_flags=(), client_flags=(), cpu=None,
                          timeout=TIMEOUT):
    """Counts the instructions of a row's call.

    `build` is the folder of bench_all and bench_server, and `row` is a row's name. `calls` are
    three or more ascending numbers of calls. Both sides run on `cpu`, by default the last CPU that
    this thread may use. `timeout` bounds each run, in seconds. Nothing global changes, so that
    threads may count at the same time, on a CPU each.

    Raises Unavailable, CountingError, or ValueError for a row that bench_server does not serve.
    """
    if len(calls) < 3 or sorted(set(calls)) != list(calls):
        raise ValueError(f"not three or more ascending numbers of calls: {calls}")
    row = row.removesuffix("/real_time")
    build = pathlib.Path(build).resolve()
    cpu = max(os.sched_getaffinity(0)) if cpu is None else cpu
    server_side, client_side = _prefixes(cpu)
    if "_forking" in row:
        server_side.append(f"--zero-before={ZEROED_IN_SESSION}")
    server = [*server_side, "build/bench_server", *_server_flags(row), *server_flags]
    client = [*client_side, f"--toggle-collect={COUNTED_IN_CLIENT}", "build/bench_all",
              *client_flags, f"--make_calls={row}"]

    def count():
        runs = [(number, _count(build, server, client, number, timeout)) for number in calls]
        return runs, len({_per_call(*pair) for pair in itertools.pairwise(runs)}) == 1

    runs, exact = count()
    if not exact:
        first, (runs, exact) = runs, count()
        exact = exact or runs == first
    return Instructions(*_per_call(runs[0], runs[-1]), exact)


def _per_call(before, after):
    """Returns the slopes of client and server between two runs, given their calls and totals."""
    (few, totals_of_few), (many, totals_of_many) = before, after
    return tuple((b - a) / (many - few) for a, b in zip(totals_of_few, totals_of_many))


def _server_flags(row):
    _, _, rest = row.partition("/")
    mode = description.own().modes.get(rest.partition("/")[0])
    if row == "Floor/ping":
        protocol, model = "bare", "threaded"
    elif mode and not mode["python"]:
        protocol, model = mode["protocol"], mode["model"]
    else:
        raise ValueError(f"bench_server does not serve the row {row}")
    # The content of replies that bench_all expects.
    return f"--protocol={protocol}", f"--model={model}", "--payload=random"


def _prefixes(cpu):
    """Returns the command prefixes that run the server and the client under callgrind."""
    for program, package in PACKAGES.items():
        if not shutil.which(program):
            raise Unavailable(f"there is no {program}; install the package {package}")
    if _may_be_real_time():
        priorities = ["chrt", "--fifo", "2"], ["chrt", "--fifo", "1"]
    else:
        priorities = [], ["nice", "-n", "19"]
    return [["setpriv", "--pdeathsig", "KILL", "taskset", "--cpu-list", str(cpu), *priority,
             "valgrind", "--tool=callgrind", f"--callgrind-out-file={side}.out.%p"]
            for side, priority in zip(("server", "client"), priorities)]


def _may_be_real_time():
    return subprocess.run(["chrt", "--fifo", "1", "true"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT, check=False).returncode == 0


def _count(build, server_command, client_command, calls, timeout):
    """Returns the instructions of client and server for this number of calls."""
    deadline = time.monotonic() + timeout
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="rpycbench_instructions_") as name:
        folder = pathlib.Path(name)
        # The length of a program's path decides where the stack begins and what the heap holds
        # before a buffer. What libc's string functions do depends on that.
        (folder / "build").mkdir()
        for program in ("bench_server", "bench_all"):
            shutil.copy2(build / program, folder / "build")
        with _child(folder, "server", [*server_command, f"--nonce={nonce}"]) as server:
            address = _announced(folder, server, nonce, deadline)
            command = [*client_command, f"--calls={calls}", f"--server_host={address['host']}",
                       f"--server_port={address['port']}"]
            with _child(folder, "client", command) as client:
                _await_end(folder, "client", client, deadline)
            _await_sessions(folder, server, deadline)
            server.stdin.close()
            _await_end(folder, "server", server, deadline)
        return _total(folder, "client"), _total(folder, "server")


@contextlib.contextmanager
def _child(folder, side, command):
    """Runs a process for a context; afterwards it and everything that it forked are gone."""
    with (open(folder / f"{side}.log", "wb") as log,
          # A session of its own can be killed as a whole. Other variables are removed because
          # valgrind and the programs read some. LD_BIND_NOW keeps a function's first call from
          # costing more.
          subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                           cwd=folder, start_new_session=True,
                           env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C",
                                "LD_BIND_NOW": "1"}) as child):
        try:
            yield child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)


def _announced(folder, server, nonce, deadline):
    ready, _, _ = select.select([server.stdout], [], [], _left(deadline))
    line = server.stdout.readline() if ready else b""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        announced = json.loads(line)
        if announced["nonce"] == nonce:
            return announced
    raise _error(folder, "server", "did not get ready")


def _await_end(folder, side, process, deadline):
    try:
        code = process.wait(_left(deadline))
    except subprocess.TimeoutExpired:
        raise _error(folder, side, "did not end in time") from None
    if code != 0:
        raise _error(folder, side, f"exited with code {code}")


def _await_sessions(folder, server, deadline):
    """Waits until no forked session is left; it would end with the server, without its total."""
    children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children")
    while children.read_text(encoding="ascii"):
        if _left(deadline) == 0:
            raise _error(folder, "server", "keeps a session whose client has gone")
        time.sleep(0.005)


def _left(deadline):
    return max(0, deadline - time.monotonic())


def _total(folder, side):
    """Returns the sum over all processes of a side."""
    totals = [TOTALS.search(path.read_text(encoding="utf-8", errors="replace"))
              for path in folder.glob(f"{side}.out.*")]
    if not totals or None in totals:
        raise _error(folder, side, "ended without a count")
    if not (total := sum(int(match[1]) for match in totals)):
        raise _error(folder, side, "has no symbols, or makes calls elsewhere than in MakeCalls")
    return total


def _error(folder, side, what):
    log = (folder / f"{side}.log").read_text(encoding="utf-8", errors="replace")
    said = [line for line in log.splitlines() if not line.startswith("==")]
    return CountingError(f"count instructions: the {side} {what}" +
                         (f"; its stderr ends with: {said[-1]}" if said else ""))
