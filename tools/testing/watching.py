"""Watches processes that a test did not start itself, by their ids."""

import pathlib
import time

PATIENCE = 120  # seconds until a wait is given up


def wait_until(condition, what, seconds=PATIENCE):
    """Returns the first true value of `condition()`; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.005)
    return value


def stat_fields(pid):
    """Returns the fields of /proc/<pid>/stat after the name (state, parent, group, session, …).

    Returns None if there is no such process.
    """
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def alive(pid):
    """Returns whether the process still runs; one that only its parent has to reap does not."""
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def await_end(*pids):
    """Waits until none of the processes runs."""
    wait_until(lambda: not any(map(alive, pids)), f"the end of {pids}")


def children(pid):
    """Returns the ids of the children of all threads of a process; none if it is gone."""
    try:
        return [int(word) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for word in (task / "children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid):
    direct = children(pid)
    return direct + [below for child in direct for below in descendants(child)]
