"""Implements the parent's side of the process contract, for tools and tests in Python.

It starts a server, reads the line in which the server announces its port, keeps its stdin open, and
collects its stderr.
"""

import json
import os
import select
import socket
import subprocess
import time

# For servers built with a sanitizer: memory kept from reuse would look like growth, and a crash must
# look as it does without one.
SANITIZERS = {
    "ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16:handle_segv=0",
    "TSAN_OPTIONS": "handle_segv=0:history_size=0",
}
# AddressSanitizer writes this once, when the first coroutine gets its stack.
ASAN_NOTE = "ASan doesn't fully support makecontext/swapcontext"
NONCE = "contract"
PATIENCE = 20  # seconds until a wait is given up; a working server never takes that long


class ServerFailed(RuntimeError):
    """Says that a server did not start, or did not write what was expected."""


def own_lines(lines):
    """Returns the lines of stderr that a server itself has written, not its sanitizer."""
    return [line for line in lines if ASAN_NOTE not in line]


class Server:
    """Runs a server, as a context manager that ends it."""

    def __init__(self, command):
        """Starts `command`, a list, and returns once the server has announced itself.

        Raises ServerFailed if it does not, and OSError if there is no such program.
        """
        self.process = subprocess.Popen(
            [*map(str, command), f"--nonce={NONCE}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**SANITIZERS, **os.environ})
        os.set_blocking(self.process.stderr.fileno(), False)
        self._unread = b""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.kill()
            raise ServerFailed(f"the server announced nothing within {PATIENCE} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(PATIENCE)
            raise ServerFailed(f"the server did not start: {self.process.stderr.read()}")
        try:
            announcement = json.loads(line)
            ours = (announcement["nonce"], announcement["pid"]) == (NONCE, self.process.pid)
            self.pid, self.port = announcement["pid"], announcement["port"]
            self.host = announcement.get("host", "127.0.0.1")
        except (ValueError, KeyError, TypeError):
            ours = False
        if not ours:
            self.kill()
            raise ServerFailed(f"the server announced something else: {line.decode(errors='replace').strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def connect(self):
        """Returns a connection to the server, with a timeout of PATIENCE seconds."""
        unix, _, name = self.host.partition("unix:")
        family = socket.AF_INET if unix else socket.AF_UNIX
        # create_connection() would look up the address each time.
        connection = socket.socket(family)
        connection.settimeout(PATIENCE)
        try:
            connection.connect((self.host, self.port) if unix
                               else name if name.startswith("/") else "\0" + name)
            if unix:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            raise
        return connection

    def stop(self):
        """Closes stdin and waits for the exit; returns the unread lines of stderr."""
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        return self.ended()

    def kill(self):
        """Kills the server if it still runs, and closes its pipes."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def ended(self):
        """Returns the unread lines of stderr; the server and its children must be gone."""
        os.set_blocking(self.process.stderr.fileno(), True)
        self._unread += self.process.stderr.read()
        lines, self._unread = self._unread.decode().splitlines(), b""
        return own_lines(lines)

    def next_line(self):
        """Waits for the next line of stderr and returns it. Raises ServerFailed if none comes."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stderr], [], [], left)[0]:
                raise ServerFailed(f"no line on stderr, only {self._unread!r}")
            more = self.process.stderr.read()
            if not more:
                raise ServerFailed("stderr ended without another line")
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode() if own_lines([line.decode()]) else self.next_line()

    def unread_lines(self):
        """Returns the lines that are on stderr now."""
        self._unread += self.process.stderr.read() or b""
        lines, self._unread = self._unread.decode().splitlines(), b""
        return own_lines(lines)

    def children(self):
        """Returns the ids of the child processes, including zombies."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
