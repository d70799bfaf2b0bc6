"""Inspects the processes of a server, for tests."""

import os
import pathlib
import select
import time

from contract import PATIENCE


def is_sanitized(program):
    """Returns whether it was built with a sanitizer, whose bookkeeping grows with connections."""
    text = pathlib.Path(program).read_bytes()
    return b"__asan_init" in text or b"__tsan_init" in text


def bookkeeping(program):
    """Returns how many times as much memory it may take for what its sanitizer keeps of each byte."""
    return 4 if is_sanitized(program) else 1


def resident_kib(pid):
    """Returns the resident memory of a process, in KiB."""
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
