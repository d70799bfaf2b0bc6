"""Which CPUs client and server run on, as fixtures/meter/placement.h has it. shared: one for both. split:
another core for the server, if there is one. free: all that are allowed.
"""

import contextlib
import os

from common.topology import choose_pair

PLACEMENTS = ("shared", "split", "free")


class Placements:
    """The CPUs that this process was allowed at its start, and what becomes of them."""

    def __init__(self, wanted):
        """Raises ValueError if `wanted` has split, and there is one CPU only."""
        self._all = sorted(os.sched_getaffinity(0))
        self._client, self._server = choose_pair(self._all)
        if len(self._all) < 2 and "split" in wanted:
            raise ValueError("--placement=split needs two CPUs")

    def of_client(self, placement):
        """A context in which this thread, and those it starts, run where the client should."""
        return self._pinned(self._all if placement == "free" else [self._client])

    def of_server(self, placement):
        """A context in which a process has to be started to run where the server should."""
        cpus = {"free": self._all, "split": [self._server], "shared": [self._client]}
        return self._pinned(cpus[placement])

    @contextlib.contextmanager
    def _pinned(self, cpus):
        os.sched_setaffinity(0, cpus)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self._all)
