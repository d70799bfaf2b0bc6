"""Keeps resident programs: a bench_all that stays and runs a row whenever it is asked.

That saves its start. It communicates in lines over stdin and stdout (bench/run/rows_on_request.h).
"""

import json
import os
import select
import subprocess
import tempfile

from .result_rows import Unusable, too_few_answers

PATIENCE = 150  # seconds for an answer; bench_all itself gives up on a server much earlier
# Runs a command that ends when this process does, however that ends. A preexec_fn would fork this
# whole process and take twice as long, and there are many such commands.
ENDS_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")


class ProgramFailed(Unusable):
    """Says why a bench_all, or a row of it, has no result."""


def last_line(text):
    """Returns a program's last line, which mostly says why it failed; empty if there is none."""
    return (text.strip().splitlines() or [""])[-1]


class Resident:
    """Runs one bench_all; `name` stands for it in messages.

    `cpus` decide the placement of its rows: on a single one, client and server share it. Without
    them it has those of this process.
    """

    def __init__(self, name, bench_all, flags, cpus=None):
        self.name = name
        self._stderr = tempfile.TemporaryFile()
        pinned = ["taskset", "--cpu-list", ",".join(map(str, cpus))] if cpus else []
        self._process = subprocess.Popen(
            [*ENDS_WITH_PARENT, *pinned, bench_all, "--rows_on_request", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr)
        self._row = None
        self._output = b""

    def start(self, row, inject="", iterations=None):
        """Begins a run of the row, a listed name, with `iterations` if the build supports that."""
        self._row = row
        words = [row, *([inject] if inject else ()),
                 *([f"iterations:{iterations}"] if iterations else ())]
        try:
            self._process.stdin.write(" ".join(words).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("ended") from None

    def result(self):
        """Returns (context, row) of the run that was begun last.

        Raises ProgramFailed if the row or the program failed, or the row had too few answers to compare.
        """
        line = self._read_line()
        try:
            document = json.loads(line)
            rows, context = document["benchmarks"], document["context"]
        except (ValueError, KeyError, TypeError):
            raise self._failure("answered with something that is not a result") from None
        if len(rows) != 1:
            raise self._failure(f"answered with {len(rows)} rows")
        if rows[0].get("error_occurred"):
            raise ProgramFailed(f"{self.name}: {self._row}: {rows[0].get('error_message')}")
        if reason := too_few_answers(rows[0]):
            raise ProgramFailed(f"{self.name}: {self._row}: {reason}")
        return context, rows[0]

    def close(self, patience=PATIENCE):
        """Ends the program and its servers, by force after `patience` seconds.

        Raises ProgramFailed if it ends by itself and reports a fault, such as a server that did not
        end well.
        """
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
            raise ProgramFailed(f"{self.name}: bench_all exited with {self._process.returncode} "
                                "after its rows" + (f": {said}" if said else ""))

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
        return ProgramFailed(f"{self.name}: bench_all {what} while measuring {self._row}" +
                             (f": {said}" if said else ""))


def list_rows(name, bench_all, flags):
    """Returns the rows that bench_all lists under these flags.

    Raises ProgramFailed with its message otherwise; `name` stands for it there.
    """
    command = [*ENDS_WITH_PARENT, bench_all, "--benchmark_list_tests", *flags]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                              errors="replace", timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(f"{name}: {error}") from error
    if done.returncode != 0:
        said = last_line(done.stderr) or f"bench_all exited with {done.returncode}"
        raise ProgramFailed(f"{name}: {said}")
    return done.stdout.split()
