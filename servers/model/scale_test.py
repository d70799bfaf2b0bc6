"""Tests many connections at once, and many one after the other: `scale_test.py bench_server`.

One process opens thousands of connections, each of which is served, in every model that keeps them
in one process. Further tests cover the limit of descriptors, and the memory that is left in use.
"""

import contextlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from testing.given_server import SERVER, allow_all_descriptors, run_to_the_end, start
from testing.modes import ONE_PROCESS
from testing.processes import is_sanitized, resident_kib
from testing.raw_peers import PINGS, TCP_HEADER, receive, tcp_ping

PING = TCP_HEADER.pack(1, 0, 0)
PONG = TCP_HEADER.pack(0, 0, 4) + b"pong"
TEN_MINUTES = 600 * 10**9  # ns


class ScaleTest(unittest.TestCase):
    @contextlib.contextmanager
    def crowd(self, server, protocol, count):
        """Returns connections that were all open and served once at the same time."""
        with contextlib.ExitStack() as opened:
            connections = []
            for _ in range(count):
                connection = opened.enter_context(server.connect())
                PINGS[protocol](connection)
                connections.append(connection)
            yield connections

    def ask_all_at_once(self, connections):
        """Sends every question before it reads the first answer."""
        for connection in connections:
            connection.sendall(PING)
        for connection in connections:
            self.assertEqual(PONG, receive(connection, len(PONG)))

    def test_threads_for_three_thousand_idle_and_a_thousand_active(self):
        with start("tcp", "threaded") as server:
            with self.crowd(server, "tcp", 4_000) as connections:
                for _ in range(5):
                    self.ask_all_at_once(connections[3_000:])
                self.ask_all_at_once(connections)
            self.assertEqual([], server.stop())

    def test_ten_thousand_connections_on_few_threads(self):
        # The number depends on the model; the other protocols need many connections on a thread as well.
        for protocol, model, count in (("tcp", "async", 10_000), ("tcp", "threadpool", 10_000),
                                       ("rpyc", "async", 3_000), ("http", "async", 3_000)):
            with self.subTest(protocol=protocol, model=model), start(protocol, model) as server:
                with self.crowd(server, protocol, count) as connections:
                    for connection in connections[::7]:
                        PINGS[protocol](connection)
                    if protocol == "tcp":
                        self.ask_all_at_once(connections)
                self.assertEqual([], server.stop())

    def test_thousands_of_connections_leave_memory_flat(self):
        def connect_and_close(count):
            for _ in range(count):
                with server.connect() as connection:
                    PINGS[protocol](connection)

        # The caches of a sanitizer's allocator fill up over 8,000 connections where threads share them.
        most = 2_048 if is_sanitized(SERVER) else 512
        for protocol in PINGS:
            for model in ONE_PROCESS:
                with self.subTest(protocol=protocol, model=model), start(protocol, model) as server:
                    connect_and_close(3_000 if is_sanitized(SERVER) else 300)
                    before = resident_kib(server.pid)
                    connect_and_close(1_000)
                    self.assertLess(resident_kib(server.pid) - before, most)
                    self.assertEqual([], server.stop())

    def test_the_limit_of_descriptors_is_raised(self):
        for model in ONE_PROCESS:
            with start("tcp", model, prefix=("prlimit", "--nofile=100:400")) as server:
                with self.crowd(server, "tcp", 300):
                    pass

    def test_beyond_the_hard_limit_connections_are_refused(self):
        for model in ONE_PROCESS:
            with start("tcp", model, prefix=("prlimit", "--nofile=200:200")) as server:
                with self.crowd(server, "tcp", 200 - 64), server.connect() as refused:
                    self.assertEqual(b"", refused.recv(1))
                    self.assertRegex(server.next_line(), "refused .*: 136 connections are open$")

    def test_more_connections_than_descriptors_are_told_at_once(self):
        for model in ONE_PROCESS:
            result = run_to_the_end("--protocol=tcp", f"--model={model}", "--max_connections=1000",
                                    prefix=("prlimit", "--nofile=200:200"))
            self.assertEqual((1, ""), (result.returncode, result.stdout))
            self.assertEqual("bench_server: 1000 connections take 1064 descriptors, and no more "
                             "than 200 are allowed here (ulimit -Hn)\n", result.stderr)

    def test_sleepers_leave_descriptors_for_connections(self):
        """A session that finds no descriptor for its timer wakes a little late, and no connection is refused."""
        with start("tcp", "async", "--max_connections=50", prefix=("prlimit", "--nofile=120:120")) as server:
            with self.crowd(server, "tcp", 49) as sleepers:
                for sleeper in sleepers:
                    sleeper.sendall(TCP_HEADER.pack(6, 0, 300_000_000))
                with server.connect() as other:
                    tcp_ping(other)
                for sleeper in sleepers:
                    self.assertEqual(0, TCP_HEADER.unpack(receive(sleeper, TCP_HEADER.size))[0])
                self.assertEqual([], server.unread_lines())

    def test_a_sleeper_holds_no_event_loop(self):
        with start("tcp", "async") as server:
            with self.crowd(server, "tcp", 51) as (other, *sleepers):
                for sleeper in sleepers:
                    sleeper.sendall(TCP_HEADER.pack(6, 0, TEN_MINUTES))
                tcp_ping(other)


if __name__ == "__main__":
    allow_all_descriptors()
    unittest.main()
