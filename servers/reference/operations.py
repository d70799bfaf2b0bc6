"""Implements the operations, with limits and error texts of the native service (servers/service).

They know no protocol. A request that may not be granted raises a ValueError, whose text says why.
The methods of Operations have no docstrings, because RPyC sends those to its clients.
"""

import ctypes
import dataclasses
import os
import time

from payload import Payload

MAX_BYTES = 1 << 30
MAX_CHUNKS = 1 << 20
MAX_CHUNK_BYTES = 64 << 20
MAX_SLEEP_SECONDS = 3600
MAX_ITEMS = 65_536
LARGEST_COMPUTE = 3_024_617  # beyond it the sum exceeds 64 bits
PR_SET_DUMPABLE = 4
VALUE = 42  # of the plain attribute `value`


def checked_size(size):
    """Returns a size in bytes if it is within the limits. Raises ValueError."""
    if size < 0:
        raise ValueError(f"size must not be negative: {size}")
    if size > MAX_BYTES:
        raise ValueError(f"size {size} is above the limit of {MAX_BYTES} bytes")
    return size


def checked_count(count):
    """Returns a number of objects, numbers or calls if it is within the limits. Raises ValueError."""
    if count < 0:
        raise ValueError(f"count must not be negative: {count}")
    if count > MAX_ITEMS:
        raise ValueError(f"count {count} is above the limit of {MAX_ITEMS}")
    return count


def payloads_of(kind):
    """Returns the payloads of downloads and files: one of payload.KINDS, by default x and zeros."""
    if kind is None:
        return Payload("x"), Payload("zeros")
    return (Payload(kind),) * 2


def crash(*_):
    """Ends this process by SIGABRT, without an answer and without a core file. Not among the
    Operations: a server has it only if it was started with --allow_crash.
    """
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
    os.abort()


@dataclasses.dataclass(frozen=True)
class Item:
    """An object with a few attributes, which depend on its place in a list alone."""

    number: int
    name: str
    weight: float

    @classmethod
    def at(cls, place):
        """Returns the item at that place. Raises ValueError for a place that no list has."""
        if not 0 <= place < MAX_ITEMS:
            raise ValueError(f"there is no item {place}")
        return cls(place, f"item {place}", place + 0.5)


class Block:
    """A context manager for `with`; log() returns what happened to it."""

    def __init__(self):
        self._log = []

    def __enter__(self):
        self._log.append("entered")
        return self

    def __exit__(self, exception, _value, _traceback):
        self._log.append("left" if exception is None else "thrown out")
        return False

    def exposed_log(self):
        return tuple(self._log)


class Operations:
    """The operations, with the payloads of downloads and of files."""

    def __init__(self, download, file):
        super().__init__()
        self._download = download
        self._file = file

    def ping(self):
        return "pong"

    def echo(self, data):
        return data

    def upload(self, data):
        return len(data)

    def download(self, size):
        return self._download.of(checked_size(size))

    def compute(self, n):
        if n < 0:
            raise ValueError(f"n must not be negative: {n}")
        if n > LARGEST_COMPUTE:
            raise ValueError(f"n must not be above {LARGEST_COMPUTE}, "
                             f"beyond which the sum leaves 64 bits: {n}")
        return sum(i * i for i in range(n))

    def sleep(self, seconds):
        if not seconds >= 0:
            raise ValueError("sleep length must not be negative")
        if not seconds <= MAX_SLEEP_SECONDS:
            raise ValueError(f"sleep length is above the limit of {MAX_SLEEP_SECONDS} seconds")
        time.sleep(seconds)
        return seconds

    def fail(self):
        raise ValueError("failed as asked")

    def items(self, count):
        return [Item.at(place) for place in range(checked_count(count))]

    def items_by_value(self, count):
        return tuple((item.number, item.name, item.weight) for item in self.items(count))

    def call_back(self, function, count):
        return sum(function(number) for number in range(checked_count(count)))

    def numbers(self, count):
        return (number for number in range(checked_count(count)))

    def block(self):
        return Block()

    def upload_file(self, data):
        return len(data)

    def download_file(self, size):
        return self._file.of(checked_size(size))

    def upload_file_chunked(self, chunks):
        size = 0
        for chunk in chunks:  # from Python 3.13 on, a generator would ask for another iterator
            size += len(chunk)
        return size

    def download_file_chunked(self, size, chunk_size):
        if chunk_size <= 0:
            raise ValueError(f"chunk_size must be positive: {chunk_size}")
        if chunk_size > MAX_CHUNK_BYTES:
            raise ValueError(f"chunk_size {chunk_size} is above the limit of "
                             f"{MAX_CHUNK_BYTES} bytes")
        count = -(-checked_size(size) // chunk_size)
        if count > MAX_CHUNKS:
            raise ValueError(f"{count} chunks are above the limit of {MAX_CHUNKS}")
        whole = self._file.of(size)
        return [whole[at:at + chunk_size] for at in range(0, size, chunk_size)]
