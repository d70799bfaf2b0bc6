"""Tests the concurrency models from outside: `model_test.py bench_server`.

Covers the life and end of a server, its children and its connections, with signals, crashes and the
end of stdin, for each model and protocol. Waits follow events and are bounded; there are no pauses.
"""

import concurrent.futures
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from contract import PATIENCE, own_lines
from testing.given_server import SERVER, allow_all_descriptors, run_to_the_end, start
from testing.modes import MODELS, PROTOCOLS
from testing.processes import await_exit, is_sanitized, resident_kib
from testing.raw_peers import PINGS, TCP_HEADER, receive, tcp_ping

ALL = tuple(itertools.product(PROTOCOLS, MODELS))
STOP_LIMIT = 5  # seconds that a server may take to end after it was told to


def is_closed(connection):
    """Waits and returns whether the server ended the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


class ModelTest(unittest.TestCase):
    @contextlib.contextmanager
    def served(self, protocol, model, *flags):
        """Runs a subtest with a server of its own."""
        with self.subTest(protocol=protocol, model=model):
            with start(protocol, model, *flags) as server:
                yield server

    def connections(self, server, protocol, count):
        """Returns open connections that have each been served once."""
        opened = []
        for _ in range(count):
            connection = server.connect()
            self.addCleanup(connection.close)
            PINGS[protocol](connection)
            opened.append(connection)
        return opened

    def test_thousands_of_connections_leave_no_zombie(self):
        def connect_and_close(count):
            for _ in range(count):
                with server.connect() as connection:
                    tcp_ping(connection)

        with start("tcp", "forking") as server:
            connect_and_close(3_000 if is_sanitized(SERVER) else 300)
            before = resident_kib(server.pid)
            connect_and_close(1_000)
            self.assertLess(resident_kib(server.pid) - before, 64)
            # Once a later connection is served, everything that ended before it has been reaped.
            await_exit(server.children())
            with server.connect() as last:
                tcp_ping(last)
                children = server.children()
                self.assertEqual(1, len(children))
                self.assertNotEqual("Z", state_of(children[0]))
            self.assertEqual([], server.stop())

    def test_a_killed_child_hurts_no_other(self):
        for protocol in PROTOCOLS:
            with self.served(protocol, "forking") as server:
                for fatal in (signal.SIGSEGV, signal.SIGKILL):
                    bystander, = self.connections(server, protocol, 1)
                    others = set(server.children())
                    victim, = self.connections(server, protocol, 1)
                    child, = set(server.children()) - others
                    os.kill(child, fatal)
                    self.assertTrue(is_closed(victim))
                    self.assertEqual(
                        f"bench_server: session process {child} was killed by signal {fatal:d}",
                        server.next_line())
                    PINGS[protocol](bystander)
                    self.connections(server, protocol, 1)
                self.assertEqual([], server.stop())

    def test_sigterm_ends_everything(self):
        for protocol, model in ALL:
            with self.served(protocol, model) as server:
                opened = self.connections(server, protocol, 3)
                children = server.children()
                server.process.terminate()
                self.assertEqual(0, server.process.wait(STOP_LIMIT))
                await_exit(children)
                self.assertTrue(all(map(is_closed, opened)))
                self.assertEqual([], server.ended())

    def test_sigterm_does_not_wait_for_a_call(self):
        with contextlib.ExitStack() as running:
            servers = {model: running.enter_context(start("tcp", model)) for model in MODELS}
            children = {}
            for model, server in servers.items():
                connection, = self.connections(server, "tcp", 1)
                children[model] = server.children()
                connection.sendall(TCP_HEADER.pack(6, 0, 600 * 10**9))  # a sleep of ten minutes
                server.process.terminate()
            for model, server in servers.items():
                with self.subTest(model=model):
                    self.assertEqual(0, server.process.wait(STOP_LIMIT))
                    await_exit(children[model])

    def test_sigterm_does_not_wait_for_calls_that_no_thread_is_free_for(self):
        with start("tcp", "threadpool", "--pool_threads=1") as server:
            for connection in self.connections(server, "tcp", 3):
                connection.sendall(TCP_HEADER.pack(6, 0, 600 * 10**9))  # a sleep of ten minutes
            server.process.terminate()
            self.assertEqual(0, server.process.wait(STOP_LIMIT))

    def test_the_end_of_stdin_ends_everything_and_bytes_on_it_nothing(self):
        for protocol, model in ALL:
            with self.served(protocol, model) as server:
                server.process.stdin.write(b"a line that nobody reads\n" * 100)
                server.process.stdin.flush()
                opened = self.connections(server, protocol, 3)
                children = server.children()
                self.assertEqual([], server.stop())
                self.assertEqual(0, server.process.returncode)
                await_exit(children)
                self.assertTrue(all(map(is_closed, opened)))

    def test_children_of_a_killed_server_end(self):
        for protocol in PROTOCOLS:
            with self.served(protocol, "forking") as server:
                opened = self.connections(server, protocol, 3)
                children = server.children()
                self.assertEqual(3, len(children))
                server.process.kill()
                await_exit(children)
                self.assertTrue(all(map(is_closed, opened)))

    def test_too_many_connections_are_refused(self):
        for protocol, model in ALL:
            with self.served(protocol, model, "--max_connections=8") as server:
                opened = self.connections(server, protocol, 8)
                for _ in range(2):
                    with server.connect() as refused:
                        self.assertTrue(is_closed(refused))
                    self.assertRegex(server.next_line(), "refused .*: 8 connections are open$")
                for connection in opened:
                    PINGS[protocol](connection)
                opened[0].close()
                self.await_a_place(server, protocol)

    def await_a_place(self, server, protocol):
        """Tries to connect until the server has noticed that another client left."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with server.connect() as connection:
                try:
                    return PINGS[protocol](connection)
                except (EOFError, OSError):
                    self.assertRegex(server.next_line(), "refused")
                    self.assertLess(time.monotonic(), deadline, "no place became free")

    def test_a_client_that_leaves_at_once_is_no_error(self):
        for protocol, model in ALL:
            with self.served(protocol, model) as server:
                bystander, = self.connections(server, protocol, 1)
                for _ in range(100):
                    server.connect().close()
                PINGS[protocol](bystander)
                self.assertEqual([], server.stop())

    def test_a_port_in_use_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            for model in MODELS:
                result = run_to_the_end("--protocol=tcp", f"--model={model}", f"--port={port}")
                self.assertEqual((1, ""), (result.returncode, result.stdout))
                self.assertEqual(
                    f"bench_server: bind 127.0.0.1:{port}: Address already in use\n", result.stderr)

    def test_an_address_that_is_none_is_told(self):
        for host, complaint in (("192.0.2.1", "bind 192.0.2.1:0: Cannot assign requested address"),
                                ("unix:a b", "resolve unix:a b: a name is up to 100 letters, ")):
            result = run_to_the_end("--protocol=tcp", "--model=threaded", f"--host={host}")
            self.assertEqual((1, ""), (result.returncode, result.stdout))
            self.assertIn(f"bench_server: {complaint}", result.stderr)
            self.assertEqual(1, result.stderr.count("\n"))

    def test_every_protocol_answers_whatever_the_socket_policy(self):
        for protocol, writes in itertools.product(PROTOCOLS, ("joined", "split", "corked")):
            with self.served(protocol, "threaded", "--nodelay=off", f"--writes={writes}",
                             "--quick_ack=off") as server:
                self.connections(server, protocol, 2)

    def test_bad_flags_are_refused(self):
        good = ("--protocol=tcp", "--model=threaded")
        for flags in ((), ("--protocol=tcp",), ("--protocol=smtp", "--model=threaded"),
                      ("--protocol=tcp", "--model=fibers"), (*good, "--port=70000"),
                      (*good, "--payload=noise"), (*good, "--max_connections=0"),
                      (*good, "--pool_threads=0"), (*good, "--max_nested_requests=257"),
                      (*good, "--nonce=a\"b"), (*good, "--io_timeout_ms=soon"),
                      (*good, "--nodelay=1"), (*good, "--writes=twice"), (*good, "--quick_ack="),
                      (*good, "--compression=zlib"), (*good, "--compression=threshold:1k"),
                      (*good, "--delay=spin"), (*good, "--delay=doze:constant:1"),
                      (*good, "--delay=sleep:uniform:2:1"), (*good, "--delay=stall:10:10"),
                      (*good, "--unknown"), (*good, "leftover")):
            with self.subTest(flags=flags):
                result = run_to_the_end(*flags)
                self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)
                self.assertRegex(result.stderr, "^bench_server: [^\n]+\n$")

    def test_a_delay_is_part_of_ping_and_of_nothing_else(self):
        for protocol, model in itertools.product(("tcp", "http"), MODELS):
            for kind in ("sleep", "spin"):
                with self.served(protocol, model, f"--delay={kind}:constant:30000") as server:
                    start_of_it = time.monotonic()
                    connection, = self.connections(server, protocol, 1)  # has sent one ping
                    pinged = time.monotonic()
                    self.assertGreaterEqual(pinged - start_of_it, 0.030)
                    connection.close()
                    self.assertEqual([], server.stop())

    def test_a_stall_lets_all_pings_wait_for_its_end(self):
        every, length = 0.5, 0.4
        kinds = list(itertools.product(("tcp", "http"), MODELS))
        servers = [start(*kind, "--delay=stall:500:400") for kind in kinds]
        for server in servers:
            self.addCleanup(server.kill)
        connections = [*itertools.chain(*(self.connections(server, protocol, 1) for
                                          server, (protocol, _) in zip(servers, kinds)))]

        def ping(kind, connection):
            """Returns when the ping was sent and when it was answered."""
            sent = time.monotonic()
            PINGS[kind[0]](connection)
            return sent, time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
            # The servers use the same clock: sleep to the middle of the next stall.
            time.sleep(every - time.monotonic() % every + length / 2)
            times = dict(zip(kinds, pool.map(ping, kinds, connections)))
        for kind, (sent, answered) in times.items():
            with self.subTest(kind=kind):
                self.assertGreaterEqual(answered, sent - sent % every + length)
        for server, connection in zip(servers, connections):
            connection.close()
            self.assertEqual([], server.stop())

    def test_a_closed_stdin_ends_the_server_at_once(self):
        for model in MODELS:
            result = run_to_the_end("--protocol=tcp", f"--model={model}", stdin=subprocess.DEVNULL)
            self.assertEqual((0, "bench_server: stdin is at its end, which ends this server; "
                              "--ignore_stdin lets it go on\n"), (result.returncode, result.stderr))

    def test_without_stdin_a_server_waits_for_a_signal(self):
        for model in MODELS:
            with subprocess.Popen(
                    [SERVER, "--protocol=tcp", f"--model={model}", "--ignore_stdin"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True) as process:
                port = json.loads(process.stdout.readline())["port"]
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                    tcp_ping(connection)
                    process.terminate()
                    out, errors = process.communicate(timeout=PATIENCE)
                    self.assertEqual(("", []), (out, own_lines(errors.splitlines())))
                self.assertEqual(0, process.returncode)

    def test_threads_of_a_pool_do_not_wait_for_each_other(self):
        """Connections that are accepted before the first thread has woken wake only that thread."""
        nap = 0.15
        with start("tcp", "threadpool", "--pool_threads=8") as server:
            os.sched_setaffinity(server.pid, {min(os.sched_getaffinity(0))})
            for thread in os.listdir(f"/proc/{server.pid}/task"):
                os.sched_setaffinity(int(thread), {min(os.sched_getaffinity(0))})
            for _ in range(12):
                with contextlib.ExitStack() as stack:
                    sleepers = [stack.enter_context(socket.socket()) for _ in range(4)]
                    begin = time.monotonic()
                    for sleeper in sleepers:
                        sleeper.settimeout(PATIENCE)
                        sleeper.connect(("127.0.0.1", server.port))
                        sleeper.sendall(TCP_HEADER.pack(6, 0, int(nap * 1e9)))
                    for sleeper in sleepers:
                        receive(sleeper, TCP_HEADER.size)
                    self.assertLess(time.monotonic() - begin, 2 * nap)

    def test_a_burst_of_connections_holds_no_session_up(self):
        """A session gets its turn before a backlog is served, however long that is."""
        crowd = 2_000
        for model in ("async", "threadpool"):
            with start("tcp", model, "--max_connections=1") as server, \
                    contextlib.ExitStack() as stack:
                served = stack.enter_context(server.connect())
                tcp_ping(served)
                os.kill(server.pid, signal.SIGSTOP)
                refused = select.poll()
                for _ in range(crowd):
                    waiting = stack.enter_context(socket.socket())
                    waiting.setblocking(False)
                    waiting.connect_ex(("127.0.0.1", server.port))
                    refused.register(waiting, select.POLLRDHUP)
                served.sendall(TCP_HEADER.pack(1, 0, 0))
                os.kill(server.pid, signal.SIGCONT)
                receive(served, TCP_HEADER.size + 4)
                os.kill(server.pid, signal.SIGSTOP)  # so that the count is that of this moment
                self.assertLess(len(refused.poll(0)), crowd / 2, model)
                os.kill(server.pid, signal.SIGCONT)

    def test_no_reader_of_stderr_stops_a_server(self):
        """Neither a reader that is gone nor one that does not read stops it."""
        for protocol, model in itertools.product(("tcp", "rpyc"), MODELS):
            for gone in (True, False):
                with self.subTest(protocol=protocol, model=model, gone=gone):
                    reading, writing = os.pipe()
                    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
                    with subprocess.Popen(
                            [SERVER, f"--protocol={protocol}", f"--model={model}"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writing,
                            text=True) as process:
                        os.close(writing)
                        if gone:
                            os.close(reading)
                        address = "127.0.0.1", json.loads(process.stdout.readline())["port"]
                        for _ in range(100):  # lines; a pipe of 4 KiB holds about 50
                            with socket.create_connection(address, PATIENCE) as wrong:
                                wrong.sendall(b"\xff" * 32)
                                self.assertTrue(is_closed(wrong))
                        with socket.create_connection(address, PATIENCE) as good:
                            PINGS[protocol](good)
                        process.stdin.close()
                        self.assertEqual(0, process.wait(PATIENCE))
                    if not gone:
                        lines = own_lines(os.read(reading, 1 << 16).decode().splitlines())
                        os.close(reading)
                        self.assertGreater(len(lines), 10)
                        self.assertTrue(all(line.startswith("bench_server: ") for line in lines))

    def test_the_bare_loop_keeps_idle_connections(self):
        with start("bare", "threaded", "--io_timeout_ms=100") as server:
            with server.connect() as idle, server.connect() as stuck:
                for ping in range(2):
                    idle.sendall(bytes(16))
                    self.assertEqual(20, len(receive(idle, 20)))
                    if ping == 0:  # the other connection's end proves that the limit has passed
                        stuck.sendall(bytes(3))
                        self.assertTrue(is_closed(stuck))
            server.next_line()


if __name__ == "__main__":
    allow_all_descriptors()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # because children are made to crash here
    unittest.main()
