"""Chooses the CPUs of client and server, as fixtures/meter/placement.h does.

shared: both use one CPU. split: the server gets another core, if there is one. free: both use all
allowed CPUs.
"""

import contextlib
import os

from common.topology import choose_pair

PLACEMENTS = ("shared", "split", "free")


class Placements:
    """Pins client and server to CPUs that this process was allowed at its start."""

    def __init__(self, wanted):
        """`wanted` is a placement or None. Raises ValueError for split if there is only one CPU."""
        self._all = sorted(os.sched_getaffinity(0))
        self._client, self._server = choose_pair(self._all)
        if len(self._all) < 2 and "split" in wanted:
            raise ValueError("--placement=split needs two CPUs")

    def of_client(self, placement):
        """Returns a context in which this thread and those it starts run on the client's CPUs."""
        return self._pinned(self._all if placement == "free" else [self._client])

    def of_server(self, placement):
        """Returns a context in which to start a process that should run on the server's CPUs."""
        cpus = {"free": self._all, "split": [self._server], "shared": [self._client]}
        return self._pinned(cpus[placement])

    @contextlib.contextmanager
    def _pinned(self, cpus):
        os.sched_setaffinity(0, cpus)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self._all)
