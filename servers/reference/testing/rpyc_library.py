"""Connects to servers by the real RPyC library, and counts what it receives."""

import contextlib
import unittest.mock

import rpyc
from rpyc.core import SocketStream

from contract import PATIENCE


def connect(server, **config):
    return rpyc.connect("127.0.0.1", server.port,
                        config={"sync_request_timeout": PATIENCE, **config})


@contextlib.contextmanager
def counted_bytes():
    """Yields a list that collects the sizes that the library receives, on any connection."""
    sizes = []
    read = SocketStream.read

    def counting_read(stream, size):
        sizes.append(size)
        return read(stream, size)

    with unittest.mock.patch.object(SocketStream, "read", counting_read):
        yield sizes
