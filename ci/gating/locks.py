"""What keeps gates of one repository from harming each other: locks on folders, which end with their holder."""

import contextlib
import fcntl
import os


@contextlib.contextmanager
def held(folder, when_taken):
    """Holds the folder's lock, after a wait for it if need be. The folder is made. `when_taken` is called before a
    wait, and may throw instead; None stands for no folder and no lock."""
    if folder is None:
        yield
        return
    os.makedirs(folder, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_taken()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
