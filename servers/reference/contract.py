"""The parent's side of the process contract, for tests in Python: starts a server, reads the line
in which it announces its port, keeps its stdin open, and collects what it writes to stderr.
"""

import json
import os
import pathlib
import select
import socket
import subprocess
import time

# For servers built with a sanitizer: memory kept from reuse would look like growth, and a crash
# must look as it does without one.
SANITIZERS = {
    "ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16:handle_segv=0",
    "TSAN_OPTIONS": "handle_segv=0:history_size=0",
}
PATIENCE = 20  # seconds until a wait is given up; a test that passes never waits that long


class Server:
    """A running server; a context manager that ends it."""

    def __init__(self, command):
        """Starts `command`, a list; returns once it has announced itself."""
        self.process = subprocess.Popen(
            [*map(str, command), "--nonce=contract-test"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**SANITIZERS, **os.environ})
        os.set_blocking(self.process.stderr.fileno(), False)
        self._unread = b""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.kill()
            raise AssertionError(f"the server announced nothing within {PATIENCE} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(PATIENCE)
            raise AssertionError(f"the server did not start: {self.process.stderr.read()}")
        announcement = json.loads(line)
        assert announcement["nonce"] == "contract-test", announcement
        assert announcement["pid"] == self.process.pid, announcement
        self.pid = announcement["pid"]
        self.port = announcement["port"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def connect(self):
        """A TCP connection whose waits are bounded."""
        connection = socket.socket()  # create_connection() would look up the address each time
        connection.settimeout(PATIENCE)
        try:
            connection.connect(("127.0.0.1", self.port))
        except OSError:
            connection.close()
            raise
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stop(self):
        """Closes stdin, waits for the exit; returns the unread lines of stderr."""
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        return self.ended()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def ended(self):
        """The unread lines of stderr of a server whose process and children are gone."""
        os.set_blocking(self.process.stderr.fileno(), True)
        self._unread += self.process.stderr.read()
        lines, self._unread = self._unread.decode().splitlines(), b""
        return lines

    def next_line(self):
        """The next line of stderr, waiting for it."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stderr], [], [], left)[0]:
                raise AssertionError(f"no line on stderr, only {self._unread!r}")
            more = self.process.stderr.read()
            if not more:
                raise AssertionError("stderr ended without another line")
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode()

    def unread_lines(self):
        """The lines that stand on stderr now."""
        self._unread += self.process.stderr.read() or b""
        lines, self._unread = self._unread.decode().splitlines(), b""
        return lines

    def children(self):
        """The ids of the child processes, zombies included."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]


def is_sanitized(program):
    """Whether it was built with a sanitizer, whose own bookkeeping grows for thousands of
    connections."""
    text = pathlib.Path(program).read_bytes()
    return b"__asan_init" in text or b"__tsan_init" in text


def resident_kib(pid):
    """The memory a process occupies."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def await_exit(pids):
    """Waits until none of the processes, which need not be children, runs any more."""
    deadline = time.monotonic() + PATIENCE
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            left = max(0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], left)[0]:
                raise AssertionError(f"process {pid} still runs")
        finally:
            os.close(descriptor)
