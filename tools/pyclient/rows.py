"""Defines the rows: what bench/ measures with a native client, measured with a Python client.

The name of a row is `Py` and the native row's name.
"""

import contextlib
import dataclasses
import functools
import importlib
from typing import Callable

from common import description
from client_calls import call_of
from clients import HttpClient, RpycClient
from concurrent_row import measure_concurrent
from payload import Payload
from serial_rows import measure_calls, measure_connections

CLIENTS = {"rpyc": RpycClient, "http": HttpClient}
ECHO_BYTES = (64, 1024, 10 * 1024, 100 * 1024)
OBJECTS = (1, 10, 100)
BANDWIDTH_BYTES = (1024, 10 * 1024, 100 * 1024, 1024 * 1024)
HELD = 100  # connections open at once
# Modes that serve only one connection at a time.
ONE_AT_A_TIME = tuple(name for name, mode in description.own().modes.items()
                      if mode["connections_at_once"] == 1)


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    label: str
    placement: str
    measure: Callable  # takes the server, returns the row's fields


class Table:
    """Collects the rows of one mode."""

    def __init__(self, flags):
        self.flags = flags
        self.rows = []
        self._payload = Payload(flags.payload)

    def make_client(self, port):
        return CLIENTS[self.flags.protocol](port, self.flags.authority)

    def make_open_client(self, port):
        client = self.make_client(port)
        client.open()
        return client

    def add(self, name, placement, measure):
        """Adds a row; a flag may replace `placement`, and `measure` takes the server."""
        flags = self.flags
        placement = flags.placement or placement
        label = f"placement={placement} payload={flags.payload}"
        if flags.protocol == "rpyc":
            label += " compression=python"
        if flags.transport != "tcp":
            label += f" transport={flags.transport}"
        self.rows.append(Row(f"{name}/real_time", label, placement, measure))

    def add_calls(self, name, method, *arguments, expected, counts, size=0, placement="shared",
                  decoded=lambda reply: reply):
        """Adds a row of calls of a client's method, of which decoded(reply) must be as expected.

        `counts` are the numbers of calls for warming up and of timed ones.
        """
        def check(reply):
            return decoded(reply) == expected

        def measure(server):
            client = self.make_client(server.port)
            with contextlib.closing(client):
                client.open()
                call = getattr(client, method)
                if arguments:
                    call = functools.partial(call, *arguments)
                return measure_calls(client, call, check, *counts, size)

        self.add(name, placement, measure)

    def add_connection(self):
        """Adds the row of connecting until the first reply."""
        flags = self.flags
        held = 1 if flags.mode in ONE_AT_A_TIME else HELD
        self.add(f"PyConnection/{flags.mode}", "shared",
                 lambda server: measure_connections(self.make_client, server.port,
                                                    flags.connections, held))

    def add_operations(self, kind, operations):
        """Adds rows of small calls: operations by the names that client_calls.call_of knows."""
        flags = self.flags

        def counts(operation):
            """Fewer calls of those that get many objects, which take a hundred times as long."""
            many = operation.endswith(("/10", "/100"))
            return (1, max(flags.requests // 20, 5)) if many else (flags.warmup, flags.requests)

        def measure(server, operation):
            client = self.make_client(server.port)
            with contextlib.closing(client):
                client.open()
                call = call_of(client, operation, flags.payload)
                _, _, size = operation.partition("echo/")
                return measure_calls(client, call.make, call.check, *counts(operation), int(size or 0))

        for operation in operations:
            self.add(f"{kind}/{flags.mode}/{operation}", "shared",
                     functools.partial(measure, operation=operation))

    def add_latency(self):
        """Adds the rows of single calls, attributes and errors."""
        rpyc = self.flags.protocol == "rpyc"
        self.add_operations("PyLatency", (
            *(("ping", "ping_bound") if rpyc else ("ping",)),
            *(f"echo/{size}" for size in ECHO_BYTES),
            "getattr", "getattr_missing", "setattr", "exception", *(("with",) if rpyc else ())))

    def add_objects(self):
        """Adds the rows of lists of objects."""
        flags = self.flags
        ways = ["one_by_one", "batch"]
        if flags.protocol == "rpyc":
            ways = ["attribute_each", "buffiter", "obtain", "by_value"]
        self.add_operations("PyObjects", [f"{way}/{count}" for way in ways for count in OBJECTS])

    def add_transfers(self, kind, sizes, count, variants, placement):
        """Adds rows of whole payloads in both directions.

        `sizes` are in bytes. `variants` maps a row's variant to a client's method and whether the
        payload goes up.
        """
        for size in sizes:
            data = self._payload.of(size)
            for variant, (method, is_upload) in variants.items():
                argument, expected = (data, size) if is_upload else (size, data)
                self.add_calls(f"{kind}/{self.flags.mode}/{variant}/{size}", method, argument,
                               expected=expected, counts=(1, count), size=size,
                               placement=placement)

    def add_chunked_transfers(self):
        """Adds rows of files that are sent in chunks."""
        flags = self.flags
        step = flags.chunk_bytes
        for size in flags.file_bytes:
            data = self._payload.of(size)
            prefix = f"PyBinaryTransfer/{flags.mode}"
            chunks = [data[at:at + step] for at in range(0, size, step)]
            how = {"counts": (1, flags.file_iterations), "size": size, "placement": "free"}
            self.add_calls(f"{prefix}/upload_chunked/{size}", "upload_file_chunked", chunks,
                           expected=size, **how)
            self.add_calls(f"{prefix}/download_chunked/{size}", "download_file_chunked", size, step,
                           expected=data, decoded=b"".join, **how)

    def add_concurrent(self):
        """Adds rows of many clients at once."""
        flags = self.flags
        for clients in flags.clients:
            if clients > 1 and flags.mode in ONE_AT_A_TIME:
                continue
            self.add(f"PyConcurrent/{flags.mode}/clients:{clients}", "free",
                     lambda server, clients=clients: measure_concurrent(
                         lambda: self.make_open_client(server.port), clients,
                         flags.requests_per_client))


def make_rows(flags):
    """Returns all rows of the flags' mode. Raises ImportError if the client's library is absent."""
    importlib.import_module("rpyc" if flags.protocol == "rpyc" else "requests")
    table = Table(flags)
    table.add_connection()
    table.add_latency()
    table.add_objects()
    table.add_transfers("PyBandwidth", BANDWIDTH_BYTES, flags.transfers,
                        {"upload": ("upload", True), "download": ("download", False)}, "shared")
    table.add_transfers("PyBinaryTransfer", flags.file_bytes, flags.file_iterations,
                        {"upload": ("upload_file", True), "download": ("download_file", False)},
                        "free")
    table.add_chunked_transfers()
    table.add_concurrent()
    return table.rows
