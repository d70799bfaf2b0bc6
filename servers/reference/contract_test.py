"""Tests the process contract of the Python originals in every model.

The tests cover when they announce themselves, what ends them, and how they report a failed start.
All else is up to the libraries.
"""

import functools
import importlib.metadata
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from contract import PATIENCE, Server
from testing.modes import PYTHON
from testing.processes import await_exit
from testing.raw_peers import GETROOT, http_ping, rpyc_frame, rpyc_ping

FOLDER = pathlib.Path(__file__).resolve().parent
SERVERS = tuple((mode["protocol"], mode["model"]) for mode in PYTHON)
SCRIPTS = {server: mode["script"] for server, mode in zip(SERVERS, PYTHON)}
PROTOCOLS = ("rpyc", "http")
DIALECT = int(importlib.metadata.version("rpyc").partition(".")[0])  # the library speaks only its own
PINGS = {"rpyc": functools.partial(rpyc_ping, dialect=DIALECT), "http": http_ping}
STOP_LIMIT = 5  # seconds that a server may take to end after it was told to


def command(protocol, model, *flags):
    # A model that no mode has is for a server of the same protocol to refuse.
    script = SCRIPTS.get((protocol, model)) or SCRIPTS[protocol, "threaded"]
    return [sys.executable, FOLDER / script, f"--model={model}", *flags]


def run_to_the_end(*arguments):
    return subprocess.run(command(*arguments), stdin=subprocess.PIPE, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)


class ContractTest(unittest.TestCase):
    def for_every_server(self, check):
        """Calls `check` with a server of each kind, and an open connection that was served once."""
        for protocol, model in SERVERS:
            with self.subTest(protocol=protocol, model=model):
                with Server(command(protocol, model)) as server, server.connect() as connection:
                    PINGS[protocol](connection)
                    check(server)

    def test_the_end_of_stdin_ends_everything(self):
        def check(server):
            server.process.stdin.write(b"a line that nobody reads\n" * 1000)
            server.process.stdin.flush()
            children = server.children()
            self.assertEqual([], server.stop())
            self.assertEqual(0, server.process.returncode)
            await_exit(children)

        self.for_every_server(check)

    def test_a_server_without_stdin_says_why_it_ends(self):
        for protocol, model in SERVERS:
            with self.subTest(protocol=protocol, model=model):
                done = subprocess.run(command(protocol, model), stdin=subprocess.DEVNULL, capture_output=True,
                                      text=True, timeout=PATIENCE, check=False)
                self.assertEqual((0, ""), (done.returncode, done.stdout))
                self.assertIn("_server: stdin is at its end, which ends this server\n", done.stderr)

    def test_sigterm_ends_everything(self):
        def check(server):
            children = server.children()
            server.process.terminate()
            self.assertEqual(0, server.process.wait(STOP_LIMIT))
            await_exit(children)
            self.assertEqual([], server.ended())

        self.for_every_server(check)

    def test_a_connection_that_only_asks_whether_it_is_ready_changes_nothing(self):
        for protocol, model in SERVERS:
            with self.subTest(protocol=protocol, model=model):
                with Server(command(protocol, model)) as server:
                    for _ in range(20):
                        server.connect().close()
                    with server.connect() as connection:
                        PINGS[protocol](connection)

    def test_a_port_in_use_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            for protocol, model in SERVERS:
                with self.subTest(protocol=protocol, model=model):
                    result = run_to_the_end(protocol, model, f"--port={port}")
                    self.assertEqual((1, ""), (result.returncode, result.stdout))
                    self.assertEqual(1, result.stderr.count("\n"), result.stderr)
                    self.assertRegex(result.stderr,
                                     f"_server: bind 127.0.0.1:{port}: .*Address already in use")

    def test_a_given_port_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        for protocol in PROTOCOLS:
            with Server(command(protocol, "threaded", f"--port={port}")) as server:
                self.assertEqual(port, server.port)
                with server.connect() as connection:
                    PINGS[protocol](connection)

    def test_a_given_address_is_taken_and_announced(self):
        # Every address of 127.0.0.0/8 is one of the loopback device.
        for protocol, model in SERVERS:
            with (self.subTest(protocol=protocol, model=model),
                  Server(command(protocol, model, "--host=127.0.0.2")) as server):
                self.assertEqual("127.0.0.2", server.host)
                with server.connect() as connection:
                    PINGS[protocol](connection)

    def test_unix_domain_sockets_are_served(self):
        """By a path, which a killed server leaves behind, and by abstract names."""
        with tempfile.TemporaryDirectory() as folder:
            for protocol, model in SERVERS:
                path = f"{folder}/{protocol}_{model}"
                hosts = (f"unix:{path}", f"unix:{path}", f"unix:rpycbench_test_{os.getpid()}",
                         "unix:")
                for number, host in enumerate(hosts):
                    with (self.subTest(protocol=protocol, model=model, host=host),
                          Server(command(protocol, model, f"--host={host}")) as server,
                          server.connect() as connection):
                        self.assertTrue(server.host.startswith(host))
                        self.assertGreater(len(server.host), len("unix:"))
                        PINGS[protocol](connection)
                        if number > 0:  # the first one is killed
                            server.stop()
                self.assertFalse(os.path.exists(path))
            precious = pathlib.Path(folder, "precious")
            precious.write_text("kept", encoding="utf-8")
            for protocol in PROTOCOLS:
                result = run_to_the_end(protocol, "threaded", f"--host=unix:{precious}")
                self.assertRegex(result.stderr, "_server: bind unix:.*Address already in use")
                self.assertEqual("kept", precious.read_text(encoding="utf-8"))

    def test_bad_flags_are_refused(self):
        for protocol in PROTOCOLS:
            for flags in (("fibers",), ("threaded", "--port=70000"), ("threaded", "--nonce=a\"b"),
                          ("threaded", "--payload=noise"), ("threaded", "leftover")):
                with self.subTest(protocol=protocol, flags=flags):
                    result = run_to_the_end(protocol, *flags)
                    self.assertEqual((2, ""), (result.returncode, result.stdout))
                    self.assertIn("error: ", result.stderr)

    def test_the_children_of_a_killed_server_end(self):
        with Server(command("rpyc", "forking")) as server, server.connect() as connection:
            PINGS["rpyc"](connection)
            children = server.children()
            self.assertEqual(1, len(children))
            server.process.send_signal(signal.SIGKILL)
            await_exit(children)

    def test_oneshot_serves_one_connection_after_another(self):
        with Server(command("rpyc", "oneshot")) as server:
            with server.connect() as first, server.connect() as second:
                second.sendall(rpyc_frame(GETROOT[DIALECT]))
                for _ in range(20):
                    PINGS["rpyc"](first)
                self.assertEqual([], select.select([second], [], [], 0)[0], "it was not its turn")
                first.close()
                PINGS["rpyc"](second)
            self.assertEqual([], server.stop())


if __name__ == "__main__":
    unittest.main()
