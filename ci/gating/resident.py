"""Resident programs: a bench_all that stays and runs one row each time it is asked, so that a short run
costs no start. It talks in lines over stdin and stdout (bench/run/rows_on_request.h)."""

import json
import os
import select
import subprocess
import tempfile

from .errors import GateError

PATIENCE = 150  # seconds for an answer: bench_all itself gives up on a server much earlier
# Runs a command that ends when the gate does, however that ends. There are many of them, and a
# preexec_fn, which forks all of this process, takes twice as long.
ENDS_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")


def last_line(text):
    """What a program said last, for it is mostly why it failed; empty if nothing."""
    return (text.strip().splitlines() or [""])[-1]


class Resident:
    """One bench_all of a build on some CPUs. Its rows' placement follows from the CPUs that it was
    allowed: of a single one, client and server share it."""

    def __init__(self, build, cpus, flags):
        self.build, self.cpus = build, cpus
        self._stderr = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*ENDS_WITH_PARENT, "taskset", "--cpu-list", ",".join(map(str, cpus)),
             os.path.join(build.folder, "bench_all"), "--rows_on_request", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr)
        self._row = None
        self._output = b""

    def start(self, row, inject="", iterations=None):
        """Begins a run of the row, a listed name; of so many iterations, if the build takes that."""
        self._row = row
        words = [row, *([inject] if inject else ()), *([f"iterations:{iterations}"] if iterations else ())]
        try:
            self._process.stdin.write(" ".join(words).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("ended") from None

    def result(self):
        """(context, row) of the run that was begun last. Throws GateError if the row or the program
        failed."""
        line = self._read_line()
        try:
            document = json.loads(line)
            rows, context = document["benchmarks"], document["context"]
        except (ValueError, KeyError, TypeError):
            raise self._failure("answered with something that is no result") from None
        if len(rows) != 1:
            raise self._failure(f"answered with {len(rows)} rows")
        if rows[0].get("error_occurred"):
            raise GateError(f"{self.build.name}: {self._row}: {rows[0].get('error_message')}")
        return context, rows[0]

    def close(self, patience=PATIENCE):
        """Ends the program, and with it its servers: by itself within so many seconds, or by force. Throws GateError
        if it did so by itself and says that something was wrong, as when a server did not end well."""
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        failed = self._process.returncode != 0 and patience > 0
        said = self._last_words() if failed else ""
        self._stderr.close()
        if failed:
            raise GateError(f"{self.build.name}: bench_all ended with {self._process.returncode} after its rows" +
                            (f": {said}" if said else ""))

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.close(0 if failure else PATIENCE)

    def _read_line(self):
        while b"\n" not in self._output:
            if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
                raise self._failure(f"did not answer within {PATIENCE} s")
            read = os.read(self._process.stdout.fileno(), 1 << 16)
            if not read:
                raise self._failure("ended")
            self._output += read
        line, _, self._output = self._output.partition(b"\n")
        return line

    def _last_words(self):
        self._stderr.seek(0)
        return last_line(self._stderr.read().decode(errors="replace"))

    def _failure(self, what):
        self._process.kill()
        self._process.wait()
        said = self._last_words()
        return GateError(f"{self.build.name}: bench_all {what} while measuring {self._row}" +
                         (f": {said}" if said else ""))


def list_rows(build, flags):
    """The rows that the build lists under these flags. Throws GateError with what it says instead."""
    command = [*ENDS_WITH_PARENT, os.path.join(build.folder, "bench_all"), "--benchmark_list_tests", *flags]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GateError(f"{build.name}: {error}") from error
    if done.returncode != 0:
        said = last_line(done.stderr) or f"bench_all exits with {done.returncode}"
        raise GateError(f"{build.name}: {said}")
    return done.stdout.split()
