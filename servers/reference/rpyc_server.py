"""The benchmark service on the real RPyC library, under the contract of every server here.

Binds --host and --port (0: a free one), announces itself in one line of JSON on stdout once it
listens, and ends when its stdin does, or with SIGTERM; children of the forking model end with it.
Runs under Python 3.9 or newer with rpyc 5 or 6, on Linux.
"""

import argparse
import ctypes
import json
import os
import re
import select
import signal
import sys
import time

try:
    import rpyc
    from rpyc.utils.helpers import classpartial
    from rpyc.utils.server import ForkingServer, ThreadedServer
except ImportError as error:
    sys.exit(f"rpyc_server: {error}: install the package python3-rpyc")

from payload import KINDS, Payload

MAX_BYTES = 1 << 30
MAX_CHUNKS = 1 << 20
MAX_SLEEP_SECONDS = 3600
LARGEST_COMPUTE = 3_024_617  # beyond it the sum leaves 64 bits
PR_SET_PDEATHSIG = 1


def checked_size(size):
    if size < 0:
        raise ValueError(f"size must not be negative: {size}")
    if size > MAX_BYTES:
        raise ValueError(f"size {size} is above the limit of {MAX_BYTES} bytes")
    return size


class BenchmarkService(rpyc.Service):
    """The ten operations, with the limits and complaints of the native service."""

    def __init__(self, download, file):
        super().__init__()
        self._download = download
        self._file = file

    def exposed_ping(self):
        return "pong"

    def exposed_echo(self, data):
        return data

    def exposed_upload(self, data):
        return len(data)

    def exposed_download(self, size):
        return self._download.of(checked_size(size))

    def exposed_compute(self, n):
        if n < 0:
            raise ValueError(f"n must not be negative: {n}")
        if n > LARGEST_COMPUTE:
            raise ValueError(f"n must not be above {LARGEST_COMPUTE}, "
                             f"beyond which the sum leaves 64 bits: {n}")
        return sum(i * i for i in range(n))

    def exposed_sleep(self, seconds):
        if not seconds >= 0:
            raise ValueError("sleep length must not be negative")
        if not seconds <= MAX_SLEEP_SECONDS:
            raise ValueError(f"sleep length is above the limit of {MAX_SLEEP_SECONDS} seconds")
        time.sleep(seconds)
        return seconds

    def exposed_upload_file(self, data):
        return len(data)

    def exposed_download_file(self, size):
        return self._file.of(checked_size(size))

    def exposed_upload_file_chunked(self, chunks):
        return sum(len(chunk) for chunk in chunks)

    def exposed_download_file_chunked(self, size, chunk_size):
        if chunk_size <= 0:
            raise ValueError(f"chunk_size must be positive: {chunk_size}")
        count = -(-checked_size(size) // chunk_size)
        if count > MAX_CHUNKS:
            raise ValueError(f"{count} chunks are above the limit of {MAX_CHUNKS}")
        whole = self._file.of(size)
        return [whole[at:at + chunk_size] for at in range(0, size, chunk_size)]


class EndsWithStdin:
    """Mixed into a server class: waits for a connection and the end of stdin in one thread.

    One thread, because a forking server must not have a second one.
    """

    def accept(self):
        ready = select.poll()
        ready.register(self.listener, select.POLLIN)
        ready.register(sys.stdin.fileno(), select.POLLIN)
        while True:
            found = [descriptor for descriptor, _ in ready.poll()]
            if sys.stdin.fileno() in found and not os.read(sys.stdin.fileno(), 4096):
                leave()
            if self.listener.fileno() in found:
                return super().accept()


class Threaded(EndsWithStdin, ThreadedServer):
    pass


class Forking(EndsWithStdin, ForkingServer):
    pass


def leave(*_):
    """Ends the process without waiting for the threads of sessions."""
    os._exit(0)


def end_children_with_this_process():
    server = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_child():
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            leave()

    os.register_at_fork(after_in_child=in_child)


def parse_flags():
    parser = argparse.ArgumentParser(prog="rpyc_server", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, choices=("threaded", "forking"))
    parser.add_argument("--host", default="127.0.0.1", help="address to bind")
    parser.add_argument("--port", type=int, default=0, help="port to bind, 0 for a free one")
    parser.add_argument("--nonce", default="", help="text repeated in the announcement")
    parser.add_argument("--payload", choices=KINDS,
                        help="content of downloads; without it the letter x, zeros for files")
    flags = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9-]*", flags.nonce):
        parser.error("--nonce: only letters, digits and '-' are allowed")
    if not 0 <= flags.port <= 65535:
        parser.error("--port: must lie between 0 and 65535")
    return flags


def main():
    flags = parse_flags()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    service = classpartial(BenchmarkService, Payload(flags.payload or "x"),
                           Payload(flags.payload or "zeros"))
    server_class = Forking if flags.model == "forking" else Threaded
    config = {"allow_public_attrs": True, "allow_pickle": True, "sync_request_timeout": 30}
    try:
        server = server_class(service, hostname=flags.host, port=flags.port,
                              ipv6=":" in flags.host, protocol_config=config)
        server.listener.listen(server.backlog)  # start() would do it after the announcement
    except OSError as error:
        sys.exit(f"rpyc_server: bind {flags.host}:{flags.port}: {error}")
    end_children_with_this_process()
    print(json.dumps({"port": server.port, "pid": os.getpid(), "nonce": flags.nonce},
                     separators=(",", ":")), flush=True)
    server.start()


if __name__ == "__main__":
    main()
