"""Tests what servers do with bad input: `garbage_test.py bench_server`.

Each attack uses a connection of its own. The server must end that connection and report it in
exactly one line on stderr, but report nothing about a peer that merely leaves. It must keep serving
an earlier connection and accept new ones. This holds for each protocol under every model.
"""

import pathlib
import random
import socket
import struct
import sys
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from contract import PATIENCE
from testing.given_server import SERVER, start, tests_of
from testing.modes import MODELS
from testing.processes import bookkeeping, resident_kib
from testing.raw_peers import GETROOT, PINGS, RPYC_HEADER, TCP_HEADER, rpyc_frame, swallow

MAX_BYTES = 1_000_000
SOON = "--io_timeout_ms=100"  # for attacks that only the time limit ends
FLAGS = (f"--max_bytes={MAX_BYTES}", f"--max_message_bytes={MAX_BYTES}", "--max_depth=64")
NOISE = random.Random(7).randbytes(4096)
PING_5 = b"\x12\x51\x50\x11\x51"  # REQUEST, number 0, handler PING; its boxed arguments follow
PING_6 = b"\x01\x11\x50\x11\x51"


def call(method, arguments):
    """Returns the message that calls a method of the root object with these boxed arguments."""
    return (b"\x12\x51\x50\x11\x58\x11\x52\x13"
            b"\x11\x53\x12\x08\x0f\x00\x00\x00\x1arpycbench.BenchmarkService\x51\x51"
            b"\x11\x51\x08\x0f" + struct.pack(">I", len(method)) + method
            + arguments + b"\x11\x51\x02")


# These bytes are sent. The client then waits with its sending side open, so that only the server can
# end the connection: at once if the bytes are wrong, after --io_timeout_ms if some are missing.
WRONG = {
    "tcp": {
        "ones": b"\xff" * 16,
        "operation zero": bytes(16),
        "noise": NOISE,
        "half a header": TCP_HEADER.pack(1, 0, 0)[:7],
        "half an upload": TCP_HEADER.pack(3, 0, 1000) + b"only this",
        "an upload of 4 GiB": TCP_HEADER.pack(3, 0, 1 << 32) + b"x",
        "an echo of 2**64 - 1": TCP_HEADER.pack(2, 0, (1 << 64) - 1),
        "data after a ping": TCP_HEADER.pack(1, 0, 0) + b"data",
        "a request too many": TCP_HEADER.pack(2, 0, 1) + b"xy",
    },
    "rpyc": {
        "http": b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
        "noise": NOISE,
        "half a header": b"\x00\x00\x00",
        "half a frame": rpyc_frame(GETROOT[5])[:-4],
        "a frame without its trailer": rpyc_frame(GETROOT[5])[:-1],
        "a wrong trailer": rpyc_frame(GETROOT[5])[:-1] + b"\r",
        "a wrong flag": rpyc_frame(GETROOT[5], 2),
        "a length of 4 GiB": RPYC_HEADER.pack(0xFFFFFFFF, 0) + NOISE,
        "a length of zero": rpyc_frame(b""),
        "an unknown dialect": rpyc_frame(b"\x13" + GETROOT[5][1:]),
        "a zlib stream of noise": rpyc_frame(NOISE, 1),
        "half a zlib stream": rpyc_frame(zlib.compress(NOISE)[:2000], 1),
        "bytes after a zlib stream": rpyc_frame(zlib.compress(GETROOT[5]) + b"x", 1),
        "a wrong checksum": rpyc_frame(zlib.compress(GETROOT[5])[:-1] + b"\xff", 1),
        "a deflate bomb": rpyc_frame(zlib.compress(bytes(100 << 20), 9), 1),
        "deep nesting, dialect 5": rpyc_frame(PING_5 + b"\x11\x51" + b"\x10" * 100_000 + b"\x02"),
        "deep nesting, dialect 6": rpyc_frame(PING_6 + b"\x11\x51" + b"\x10" * 100_000 + b"\x02"),
        "4 Gi items": rpyc_frame(PING_5 + b"\x11\x51\x15\xff\xff\xff\xff"),
        "text of 4 GiB": rpyc_frame(PING_5 + b"\x11\x51\x08\x0f\xff\xff\xff\xff"),
        "an integer of 999,000 digits": rpyc_frame(
            PING_5 + b"\x11\x51\x17" + struct.pack(">I", 999_000) + b"9" * 999_000),
        "bytes after a message": rpyc_frame(GETROOT[5] + b"\x00"),
    },
    "http": {
        "noise": b"\x01" + NOISE,
        "rpyc": rpyc_frame(GETROOT[5]) + b"\r\n\r\n",
        "half a request line": b"GET /pi",
        "half a head": b"GET /ping HTTP/1.1\r\nHost: te",
        "half a body": b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nonly this",
        "a body of 4 GiB": b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 4294967296\r\n\r\nx",
        "a negative length": b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "two lengths": b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "a chunk of noise": b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "endless fields": b"GET /ping HTTP/1.1\r\nHost: h\r\n" + b"Name: value\r\n" * 50_000,
        "an endless line": b"GET /" + b"a" * 500_000,
        "deep nesting": (b"POST /upload-file-chunked HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
                         + b"[" * 100_000),
    },
}

# The largest values that the flags accept. For a chunk list of the peer the server asks for items;
# a request that arrives instead of an answer is served inside.
DEEPEST = ("--max_nested_requests=256", "--max_depth=1000")
LIST = b"\x11\x54\x12\x08\x0f\x00\x00\x00\x0dbuiltins.list\x57\x58"  # a reference
ASKS_BACK = rpyc_frame(call(b"upload_file_chunked", b"\x11\x52\x10" + LIST))
DEEP_VALUE = rpyc_frame(b"\x10" * 990 + b"\x00")

# The deep document is a complete request, which is answered with 400; the connection may stay open.
ANSWERED = {("http", "deep nesting")}


def send(connection, data):
    """Sends data; the server may end the connection before all of it is sent."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def await_read(connection):
    """Waits until the other end, on this machine, has read everything that was sent to it."""
    ours, theirs = (f"{address[1]:04X}" for address in (connection.getsockname(),
                                                        connection.getpeername()))
    unread = {(ours, theirs): "tx", (theirs, ours): "rx"}
    deadline = time.monotonic() + PATIENCE
    while unread:
        if time.monotonic() > deadline:
            raise AssertionError("the server does not read")
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                words = line.split()
                pair = words[1].split(":")[1], words[2].split(":")[1]
                queue = words[4].split(":")[unread.get(pair) == "rx"]
                if pair in unread and int(queue, 16) == 0:
                    del unread[pair]
                    break


class GarbageTest:
    """Tests one protocol and model, which the classes made below set."""

    protocol = model = None

    def setUp(self):
        self.serve(SOON)

    def serve(self, *flags):
        """Starts the server of the test, and a connection to it that must stay undisturbed."""
        self.server = start(self.protocol, self.model, *FLAGS, *flags)
        self.addCleanup(self.server.kill)
        self.bystander = self.server.connect()
        self.addCleanup(self.bystander.close)
        self.ping(self.bystander)

    def ping(self, connection):
        PINGS[self.protocol](connection)

    def check_others(self):
        self.ping(self.bystander)
        with self.server.connect() as connection:
            self.ping(connection)

    def attacks(self):
        for name, data in WRONG[self.protocol].items():
            if (self.protocol, name) not in ANSWERED:
                yield name, data

    def expect_one_line(self, name):
        line = self.server.next_line()
        self.assertRegex(line, r"^bench_server: .*127\.0\.0\.1:\d+.*", name)
        self.assertEqual([], self.server.unread_lines(), line)
        self.check_others()

    def check_each(self, attack, attacks):
        """Calls attack(connection, data) for each of the attacks, and expects one line."""
        for name, data in attacks:
            with self.subTest(name):
                with self.server.connect() as attacker:
                    attack(attacker, data)
                self.expect_one_line(name)
        self.assertEqual([], self.server.stop())

    def cut_off(self):
        return [(name, data) for name, data in self.attacks()
                if name.startswith("half a") and "zlib" not in name]

    def test_wrong_input_ends_its_connection_alone_and_gets_no_memory_for_its_claims(self):
        idle = max(map(self.peak_mib, (self.server.pid, *self.server.children())))

        def attack(attacker, data):
            send(attacker, data)
            swallow(attacker)
            for pid in (self.server.pid, *self.server.children()):
                self.assertLess(self.peak_mib(pid) - idle, 40 * bookkeeping(SERVER))

        self.check_each(attack, self.attacks())

    def test_wrong_input_after_a_good_call(self):
        def attack(attacker, data):
            self.ping(attacker)
            send(attacker, data)
            swallow(attacker)

        self.check_each(attack, self.attacks())

    def test_a_stream_that_ends_in_the_middle(self):
        def attack(attacker, data):
            attacker.sendall(data)
            attacker.shutdown(socket.SHUT_WR)
            swallow(attacker)

        self.check_each(attack, self.cut_off())

    def test_a_reset_in_the_middle(self):
        def attack(attacker, data):
            attacker.sendall(data)
            await_read(attacker)  # a reset would discard what the server has not read yet
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        self.serve()  # with a time limit that ends no connection before its reset
        self.check_each(attack, self.cut_off())

    @staticmethod
    def peak_mib(pid):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                return next((int(line.split()[1]) / 1024 for line in status
                             if line.startswith("VmHWM:")), 0)
        except (FileNotFoundError, ProcessLookupError):
            return 0  # it has ended meanwhile

    def test_leaving_is_no_error(self):
        self.server.connect().close()
        with self.server.connect() as half:
            half.shutdown(socket.SHUT_WR)
            self.assertEqual(b"", swallow(half))
        with self.server.connect() as half:
            self.ping(half)
            half.shutdown(socket.SHUT_WR)
            self.assertEqual(b"", swallow(half))
        self.check_others()
        self.assertEqual([], self.server.stop())

    def test_a_request_before_a_half_close_is_answered(self):
        with self.server.connect() as half:
            shutdown_after_send = HalfClosing(half)
            self.ping(shutdown_after_send)
            self.assertEqual(b"", swallow(half))
        self.check_others()
        self.assertEqual([], self.server.stop())

    def test_idle_connections_are_kept(self):
        with self.server.connect() as slow:  # its timeout proves that the others' time has passed
            send(slow, next(data for name, data in self.attacks() if name.startswith("half a")))
            swallow(slow)
        self.server.next_line()
        self.check_others()
        self.assertEqual([], self.server.stop())

    def test_a_wrong_document_is_answered(self):
        self.serve()  # with a time limit that a document cannot exceed
        for protocol, name in ANSWERED:
            if protocol == self.protocol:
                with self.server.connect() as connection:
                    send(connection, WRONG[protocol][name])
                    connection.shutdown(socket.SHUT_WR)
                    self.assertIn(b" 400 ", swallow(connection).split(b"\r\n")[0])
        self.check_others()


class NestingTest:
    """Tests one model: no peer may need more stack than a session has."""

    model = None

    def test_the_deepest_nesting_ends_its_connection_alone(self):
        with start("rpyc", self.model, *DEEPEST) as server:
            with server.connect() as deep:
                PINGS["rpyc"](deep)
                deep.sendall(257 * ASKS_BACK)
                received = b""
                while b"RecursionError" not in received:
                    piece = deep.recv(65536)
                    self.assertNotEqual(b"", piece, "the connection ended before its limit")
                    received += piece
                deep.sendall(DEEP_VALUE)
                swallow(deep)
            self.assertRegex(server.next_line(), "neither dialect")
            with server.connect() as other:
                PINGS["rpyc"](other)
            self.assertEqual([], server.stop())


class MemoryTest:
    """Tests one model: how much memory a connection may take and keep."""

    model = None
    MESSAGE = 8 << 20

    def connected(self, protocol, *flags):
        server = start(protocol, self.model, *flags)
        self.addCleanup(server.kill)
        connection = server.connect()
        self.addCleanup(connection.close)
        PINGS[protocol](connection)
        pid = server.children()[0] if self.model == "forking" else server.pid
        return server, connection, pid

    def test_messages_that_wait_for_each_other_share_a_limit(self):
        """Each is small on the wire and inflates to the largest size that a message may have.

        The server asks for the length of the list in it, and gets another such message instead of an answer.
        """
        server, peer, pid = self.connected("rpyc", f"--max_message_bytes={self.MESSAGE}")
        before = resident_kib(pid)
        big = bytes(self.MESSAGE - 400)
        message = call(b"upload_file_chunked", b"\x11\x52\x10\x11\x52\x11\x11\x51\x0f"
                       + struct.pack(">I", len(big)) + big + LIST)
        packed = rpyc_frame(zlib.compress(message), 1)
        most = 0
        for _ in range(16):
            try:
                peer.sendall(packed)
                if not peer.recv(65536):
                    break
            except ConnectionError:
                break
            most = max(most, resident_kib(pid) - before)
        else:
            self.fail("sixteen such messages were accepted")
        self.assertGreater(most, self.MESSAGE / 1024)
        self.assertLess(most, (2 * self.MESSAGE + (4 << 20)) / 1024 * bookkeeping(SERVER))
        self.assertRegex(server.next_line(), "bytes that the limits leave")
        with server.connect() as other:
            PINGS["rpyc"](other)

    def test_an_idle_connection_gives_large_buffers_back(self):
        size = 32 << 20
        data = bytes(size)
        requests = {
            "tcp": TCP_HEADER.pack(3, 0, size) + data,
            "rpyc": rpyc_frame(
                call(b"upload", b"\x11\x51\x10\x0f" + struct.pack(">I", size) + data)),
            "http": b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + data,
        }
        for protocol, request in requests.items():
            with self.subTest(protocol):
                server, peer, pid = self.connected(protocol, "--io_timeout_ms=200")
                before = resident_kib(pid)
                peer.sendall(request)
                self.assertTrue(peer.recv(65536))
                deadline = time.monotonic() + PATIENCE
                while resident_kib(pid) - before > size / 1024 / 4:
                    self.assertLess(time.monotonic(), deadline, "it keeps them")
                PINGS[protocol](peer)
                self.assertEqual([], server.unread_lines())


class HalfClosing:
    """A connection that ends its sending direction after the first request."""

    def __init__(self, connection):
        self.recv = connection.recv
        self._connection = connection

    def sendall(self, data):
        self._connection.sendall(data)
        self._connection.shutdown(socket.SHUT_WR)


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(
        [tests_of(loader, case, model=model)
         for case in (NestingTest, MemoryTest) for model in MODELS]
        + [tests_of(loader, GarbageTest, protocol=protocol, model=model)
           for protocol in WRONG for model in MODELS])


if __name__ == "__main__":
    unittest.main()
