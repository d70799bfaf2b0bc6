"""Tests the calls of Python clients and the process that makes them: `client_process_test.py bench_server`.

Each operation runs against a native server and a Python original. Servers that lie provoke wrong
replies. What belongs to a call outside of its time is observed inside of this process.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import socket
import struct
import sys
import tempfile
import time
import unittest
from unittest import mock

from client_calls import OPERATIONS, Call, timed_call
from client_process import SerialClient
from clients import HOST, HttpClient, RpycClient
from contract import Server
from rpyc.core.channel import Channel
from rpyc.core.protocol import Connection
from testing import given_server

FOLDER = pathlib.Path(__file__).resolve().parent
OTHER_HOST = "127.0.0.2"
NOBODY = "http://127.0.0.1:9"  # a proxy that is not there
CALLS = 3
SCRIPTS = {"rpyc": "rpyc_server", "http": "flask_server"}
BOTH = ("ping", "ping_after_pause/1", "connect", "echo/1000", "upload/1000", "getattr", "getattr_missing",
        "setattr", "exception")
PROTOCOLS = {
    "rpyc": (*BOTH, "ping_bound", "ping_nodelay", "pipelined/1", "pipelined/20", "with", "attribute_each/3",
             "attribute_each_bound/3",
             "buffiter/12", "obtain/3", "by_value/3", "list/0", "list/20", "buffiter_list/20", "obtain_list/20"),
    "http": (*BOTH, "one_by_one/3", "batch/3")}
# What makes replies wrong, by the operation: a method of the original's class Operations.
LIES = {
    "ping": "ping = lambda self: 'gnop'", "upload": "upload = lambda self, data: len(data) - 1",
    "echo": "echo = lambda self, data: data[1:]",
    "list": "download_file_chunked = lambda self, size, step: [b'?'] * size",
    "obtain_list": "items = lambda self, count: [Item.at(7)] * count"}
LIE_ABOUT = {
    "rpyc": {"ping": ("ping", "ping_bound", "ping_nodelay", "ping_after_pause/1", "connect", "pipelined/3"),
             "upload": ("upload/10",), "echo": ("echo/10",), "list": ("list/3", "buffiter_list/3"),
             "obtain_list": ("obtain_list/3", "obtain/3")},
    "http": {"ping": ("ping", "ping_after_pause/1", "connect"), "upload": ("upload/10",),
             "echo": ("echo/10",)}}


def native(protocol, *flags):
    return given_server.start(protocol, "threaded", "--payload=text", *flags)


def original(protocol, *flags):
    script = FOLDER / f"{SCRIPTS[protocol]}.py"
    return Server([sys.executable, script, "--model=threaded", "--payload=text", *flags])


class Process:
    """Runs client_process.py, as a context manager, and is its controller."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            process = stack.enter_context(Server([sys.executable, FOLDER / "client_process.py", "--model=serial"]))
            self._connection = stack.enter_context(process.connect())
            self._answers = stack.enter_context(self._connection.makefile("rb"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def ask(self, what, **fields):
        """Returns the answer to a command and the 64-bit numbers that follow it."""
        self._connection.sendall(json.dumps({"do": what, "id": 1, **fields}).encode() + b"\n")
        answer = json.loads(self._answers.readline())
        size = answer.pop("bytes")
        return answer, struct.unpack(f"={size // 8}q", self._answers.read(size))

    def open(self, protocol, server, operation, **fields):
        """Opens a client for an operation, and returns the answer."""
        return self.ask("open", protocol=protocol, port=server.port, operation=operation, payload="text",
                        **fields)[0]


class OperationsTest(unittest.TestCase):
    def setUp(self):
        self.process = self.enterContext(Process())

    def test_every_operation_of_both_libraries_and_both_kinds_of_servers(self):
        for protocol, start in itertools.product(PROTOCOLS, (native, original)):
            with start(protocol) as server:
                for operation in PROTOCOLS[protocol]:
                    with self.subTest(protocol=protocol, server=start.__name__, operation=operation):
                        self.assertNotIn("error", self.process.open(protocol, server, operation))
                        answer, times = self.process.ask("calls", count=CALLS)
                        self.assertEqual(CALLS, answer.get("operations"), answer)
                        self.assertEqual(answer["spent_ns"], sum(times))
                        self.assertGreater(min(times), 0)
                        self.assertEqual(({}, ()), self.process.ask("close"))

    def test_no_operation_is_left_out(self):
        tested = {operation.partition("/")[0] for operations in PROTOCOLS.values() for operation in operations}
        self.assertEqual(set(OPERATIONS), tested)

    def test_a_wrong_reply_is_refused(self):
        for protocol, lies in LIE_ABOUT.items():
            for lie, operations in lies.items():
                with lying(protocol, LIES[lie]) as server:
                    for operation in operations:
                        with self.subTest(protocol=protocol, operation=operation):
                            self.assertEqual({"error": "RuntimeError: a wrong reply"},
                                             self.process.open(protocol, server, operation))

    def test_what_a_protocol_lacks_is_an_error(self):
        with native("http") as server:
            self.assertIn("AttributeError", self.process.open("http", server, "pipelined/3")["error"])
            self.assertIn("KeyError", self.process.open("http", server, "nothing")["error"])

    def test_connections_are_counted(self):
        """One connection for all calls, or one for each with `connect` and with Flask's own server."""
        for protocol, start, operation, is_for_each in (
                ("rpyc", native, "ping", False), ("http", native, "ping", False),
                ("rpyc", native, "connect", True), ("http", native, "connect", True),
                ("rpyc", original, "connect", True), ("http", original, "connect", True),
                ("http", original, "ping", True)):
            with (self.subTest(protocol=protocol, server=start.__name__, operation=operation),
                  start(protocol) as server):
                opened = self.process.open(protocol, server, operation, warmup=2)
                called = self.process.ask("calls", count=CALLS)[0]
                self.assertEqual([2, 2 + CALLS] if is_for_each else [1, 1],
                                 [opened["connections"], called["connections"]])
                self.assertEqual([0, 0], [opened["retries"], called["retries"]])
                self.process.ask("close")

    def test_connect_holds_no_connection_between_its_calls(self):
        """Otherwise a server of one connection at a time would not answer."""
        with original("rpyc", "--model=oneshot") as server:
            opened = self.process.open("rpyc", server, "connect", warmup=0)
            self.assertEqual({"connections": 0, "retries": 0}, opened)
            self.assertEqual(CALLS, self.process.ask("calls", count=CALLS)[0]["operations"])


def lying(protocol, lie):
    """Starts a Python original with a method replaced."""
    change = (f"import sys; sys.path.insert(0, {str(FOLDER)!r}); sys.argv[0] = 'server'\n"
              f"from operations import Item, Operations\nOperations.{lie}\n"
              f"import {SCRIPTS[protocol]}; {SCRIPTS[protocol]}.main()\n")
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as script:
        script.write(change)
        script.flush()
        return Server([sys.executable, script.name, "--model=threaded", "--payload=text"])


class HostTest(unittest.TestCase):
    def test_clients_connect_to_the_given_host_without_a_proxy(self):
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), NOBODY)
        threads = {"clients": 2, "shared": False}
        for protocol in SCRIPTS:
            with (native(protocol, f"--host={OTHER_HOST}") as server, mock.patch.dict(os.environ, proxies),
                  Process() as process):
                for operation in ("ping", "connect"):
                    with self.subTest(protocol=protocol, operation=operation):
                        self.assertNotIn("error", process.open(protocol, server, operation, host=OTHER_HOST))
                        self.assertIn("refused", process.open(protocol, server, operation)["error"])
                with self.subTest(protocol=protocol, operation="threads"):
                    where = {"protocol": protocol, "port": server.port, **threads}
                    self.assertEqual(2, process.ask("open_threads", **where, host=OTHER_HOST)[0]["connections"])
                    self.assertEqual(10, process.ask("round", requests=5)[0]["operations"])
                    self.assertIn("refused", process.ask("open_threads", **where)[0]["error"])

    def test_the_default_is_this_machine_without_a_proxy(self):
        with (native("http") as server, mock.patch.dict(os.environ, {"http_proxy": NOBODY}), Process() as process):
            self.assertNotIn("error", process.open("http", server, "ping"))


class TimedCallTest(unittest.TestCase):
    def test_only_the_call_is_timed(self):
        def pause():
            time.sleep(0.3)

        for outside in ({"before": pause}, {"after": pause}, {"check": lambda reply: pause() or True}):
            _, spent = timed_call(Call(**{"make": lambda: None, "check": lambda reply: True, **outside}))
            self.assertLess(spent, 0.1e9)
        _, spent = timed_call(Call(pause, lambda reply: True))
        self.assertGreaterEqual(spent, 0.3e9)

    def test_what_comes_after_a_call_comes_even_if_it_fails(self):
        after = mock.Mock()
        with self.assertRaises(ZeroDivisionError):
            timed_call(Call(lambda: 1 / 0, lambda reply: True, after=after))
        after.assert_called_once_with()


class OutsideOfTheTimeTest(unittest.TestCase):
    """Observes single clients in this process."""

    @contextlib.contextmanager
    def client(self, protocol, operation, start=native):
        command = {"protocol": protocol, "operation": operation, "payload": "text"}
        with start(protocol) as server, contextlib.closing(SerialClient({**command, "port": server.port})) as client:
            yield client

    def test_connect_is_timed_until_the_reply_and_closed_afterwards(self):
        for protocol, kind in (("rpyc", RpycClient), ("http", HttpClient)):
            for method, is_timed in (("open", True), ("ping", True), ("close", False)):
                inner = getattr(kind, method)

                def slow(client, inner=inner):
                    time.sleep(0.3)
                    return inner(client)

                with (self.subTest(protocol=protocol, method=method), self.client(protocol, "connect") as client,
                      mock.patch.object(kind, method, autospec=True, side_effect=slow) as slowed):
                    _, times, _ = client.calls({"count": 2})
                    self.assertEqual(2, slowed.call_count)
                    self.assertEqual(2, len({id(call.args[0]) for call in slowed.call_args_list}))
                    self.assertEqual([is_timed] * 2, [spent >= 0.3e9 for spent in times])

    def test_connect_leaves_no_connection(self):
        for protocol in SCRIPTS:
            with self.client(protocol, "connect") as client:
                before = sockets()
                client.calls({"count": 5})
                self.assertEqual(before, sockets())

    def test_a_connection_whose_call_fails_is_closed(self):
        with self.client("rpyc", "connect") as client:
            before = sockets()
            with (mock.patch.object(RpycClient, "ping", side_effect=ZeroDivisionError),
                  self.assertRaises(ZeroDivisionError)):
                client.calls({"count": 1})
            self.assertEqual(before, sockets())
            self.assertEqual(2, client.evidence()["connections"])

    def test_a_pause_comes_before_each_call_and_has_no_time(self):
        for protocol in SCRIPTS:
            with self.client(protocol, "ping_after_pause/200") as client:
                begin = time.perf_counter_ns()
                starts, times, _ = client.calls({"count": 2})
                self.assertLess(max(times), 0.2e9)
                self.assertGreaterEqual(starts[0] - begin, 0.2e9)
                self.assertGreaterEqual(starts[1] - starts[0] - times[0], 0.2e9)

    def test_ping_nodelay_alone_turns_nagles_algorithm_off(self):
        for operation, expected in (("ping", False), ("ping_after_pause/1", False), ("ping_nodelay", True)):
            made = []
            with (mock.patch.object(RpycClient, "ping", autospec=True,
                                    side_effect=lambda client, made=made: made.append(nodelay(client)) or "pong"),
                  self.client("rpyc", operation) as client):
                client.calls({"count": 2})
                self.assertEqual([expected] * 3, made)

    def test_round_trips(self):
        """The list is fetched beforehand, and a call waits for so many answers."""
        for start in (native, original):
            for operation, expected in (("ping", 2), ("ping_nodelay", 2), ("ping_bound", 1), ("list/20", 23),
                                        ("buffiter_list/20", 4), ("obtain_list/20", 1), ("upload/10", 2)):
                with (self.subTest(server=start.__name__, operation=operation),
                      self.client("rpyc", operation, start) as client,
                      mock.patch.object(Connection, "sync_request", autospec=True,
                                        side_effect=Connection.sync_request) as requests):
                    client.calls({"count": CALLS})
                    self.assertEqual(CALLS * expected, requests.call_count)

    def test_pipelined_calls_are_in_flight_at_once(self):
        """All requests are sent before the client looks for the first answer."""
        happened = collections.defaultdict(str)  # by the channel, as others release what is garbage

        def noting(method, letter):
            inner = getattr(Channel, method)

            def noted(channel, *arguments):
                happened[channel] += letter
                return inner(channel, *arguments)
            return mock.patch.object(Channel, method, noted)

        with self.client("rpyc", "pipelined/7") as client, noting("send", "s"), noting("recv", "r"):
            client.calls({"count": 2})
            self.assertIn("sssssssrrrrrrr" * 2, happened.values())

    def test_an_attribute_that_is_not_set_is_refused_at_the_end(self):
        for protocol, kind in (("rpyc", RpycClient), ("http", HttpClient)):
            with (self.subTest(protocol=protocol), self.assertRaisesRegex(RuntimeError, "a wrong reply"),
                  mock.patch.object(kind, "has_set", return_value=False), self.client(protocol, "setattr")):
                pass


def sockets():
    """Returns the number of sockets of this process."""
    return sum(os.readlink(entry.path).startswith("socket:") for entry in os.scandir("/proc/self/fd")
               if os.path.islink(entry.path))


def nodelay(client):
    """Returns whether TCP_NODELAY is set on the client's socket."""
    connection = client._connection  # pylint: disable=protected-access
    with socket.socket(fileno=os.dup(connection.fileno())) as same_socket:
        assert same_socket.getpeername()[0] == HOST
        return bool(same_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


if __name__ == "__main__":
    unittest.main()
