"""The running servers, one a placement: started when a row asks for the first time, and anew after
a row that failed.
"""

import collections
import os
import subprocess
import threading

from contract import PATIENCE, Server, ServerFailed

MOST_WORDS = 20  # lines of a server that are kept
LAST_WORDS = 2  # seconds that the end of them is waited for


class Words:
    """What a server writes to stderr: read all the time, for one that fills the pipe would stop."""

    def __init__(self, process):
        os.set_blocking(process.stderr.fileno(), True)
        self._lines = collections.deque(maxlen=MOST_WORDS)
        self._reader = threading.Thread(target=self._read, args=[process.stderr], daemon=True)
        self._reader.start()

    def _read(self, stream):
        for line in stream:
            self._lines.append(line.decode(errors="replace").strip())

    def last(self):
        """The last lines of a server that has ended. A child of it that lives on may hold the pipe."""
        self._reader.join(LAST_WORDS)
        return " ".join(list(self._lines))

    def ended(self):
        return not self._reader.is_alive()


class ServerPool:
    """A context manager that ends its servers."""

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
        """The server for this placement. Raises RuntimeError if it does not start."""
        if placement not in self._servers:
            try:
                with self._placements.of_server(placement):
                    server = Server(self._command)
                self._servers[placement] = server, Words(server.process)
            except (ServerFailed, OSError) as error:
                raise RuntimeError(f"{self._command[0]}: {error}") from error
        return self._servers[placement][0]

    def discard(self, placement):
        """Ends a server; returns what it had to say on stderr."""
        server, _ = self._servers[placement]
        ended = server.process.poll()
        said = self._end(placement, 0)
        return said if ended is None else f"{said} (exit {ended})".strip()

    def _end(self, placement, patience):
        """Ends a server, by force after so many seconds; returns its last words."""
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
