"""Keeps the running servers, one for each placement.

A server starts when a row first needs it, and again after a row that failed.
"""

import collections
import os
import subprocess
import threading

from contract import PATIENCE, Server, ServerFailed

MOST_WORDS = 20  # lines of a server's stderr that are kept
LAST_WORDS = 2  # seconds to wait for the last of them


class Words:
    """Collects what a server writes to stderr. It reads all the time: a full pipe would block the server."""

    def __init__(self, process):
        os.set_blocking(process.stderr.fileno(), True)
        self._lines = collections.deque(maxlen=MOST_WORDS)
        self._reader = threading.Thread(target=self._read, args=[process.stderr], daemon=True)
        self._reader.start()

    def _read(self, stream):
        for line in stream:
            self._lines.append(line.decode(errors="replace").strip())

    def last(self):
        """Returns the last lines of a server that has ended; a surviving child may hold the pipe open."""
        self._reader.join(LAST_WORDS)
        return " ".join(list(self._lines))

    def ended(self):
        """Returns whether all of stderr has been read."""
        return not self._reader.is_alive()


class ServerPool:
    """Owns the servers, as a context manager that ends them."""

    def __init__(self, command, placements):
        self._command = command
        self._placements = placements
        self._servers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for placement in list(self._servers):
            self._end(placement, PATIENCE)

    def acquire(self, placement):
        """Returns the server for this placement. Raises RuntimeError if it does not start."""
        if placement not in self._servers:
            try:
                with self._placements.of_server(placement):
                    server = Server(self._command)
                self._servers[placement] = server, Words(server.process)
            except (ServerFailed, OSError) as error:
                raise RuntimeError(f"{self._command[0]}: {error}") from error
        return self._servers[placement][0]

    def discard(self, placement):
        """Ends a server and returns its last lines on stderr."""
        server, _ = self._servers[placement]
        ended = server.process.poll()
        said = self._end(placement, 0)
        return said if ended is None else f"{said} (exit {ended})".strip()

    def _end(self, placement, patience):
        """Ends a server, by force after `patience` seconds; returns its last lines on stderr."""
        server, words = self._servers.pop(placement)
        server.process.stdin.close()
        try:
            server.process.wait(patience)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
        said = words.last()
        server.process.stdout.close()
        if words.ended():
            server.process.stderr.close()
        return said
