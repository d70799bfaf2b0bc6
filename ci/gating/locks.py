"""Keeps gates of one repository from disturbing each other, with locks on folders that end with their holder."""

import contextlib
import fcntl
import os


@contextlib.contextmanager
def held(folder, when_taken):
    """Holds the folder's lock while the context lasts, after waiting for it if necessary.

    The folder is created. `when_taken` is called before a wait, and may raise an exception instead. Without a folder
    (None) there is no lock.
    """
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
