"""The running servers, one a placement: started when a row asks for the first time, and anew after
a row that failed.
"""

from contract import Server


class ServerPool:
    """A context manager that ends its servers."""

    def __init__(self, command, placements):
        self._command = command
        self._placements = placements
        self._servers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers.values():
            with server:
                server.stop()

    def acquire(self, placement):
        """The server for this placement. Raises RuntimeError if it does not start."""
        if placement not in self._servers:
            try:
                with self._placements.of_server(placement):
                    self._servers[placement] = Server(self._command)
            except (AssertionError, ValueError, OSError) as error:
                raise RuntimeError(f"{self._command[0]}: {error}") from error
        return self._servers[placement]

    def discard(self, placement):
        """Ends a server; returns what it had to say on stderr."""
        with self._servers.pop(placement) as server:
            if server.process.poll() is None:
                return " ".join(server.unread_lines())
            return " ".join([*server.ended(), f"(exit {server.process.returncode})"])
