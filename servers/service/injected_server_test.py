"""Tests what `--inject` adds, as foreign clients see it: `injected_server_test.py bench_server`.

Every operation costs it once, in every protocol and model; everything else costs nothing. Python's
RPyC and HTTP libraries understand the longer replies of `bytes`.
"""

import contextlib
import http.client
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from contract import PATIENCE
from testing.given_server import run_to_the_end, start
from testing.modes import MODELS
from testing.raw_peers import receive, tcp_call
from testing.rpyc_library import connect, counted_bytes

SPIN_NS = 20_000_000
DATA = b"data" * 100
CHUNKS = (DATA, DATA)
DOCUMENT = '{"chunks":["00ff","1234"]}'

RPYC_CALLS = {"ping": (), "echo": (DATA,), "upload": (DATA,), "download": (100,), "compute": (9,),
              "sleep": (0,), "upload_file": (DATA,), "download_file": (100,),
              "upload_file_chunked": (CHUNKS,), "download_file_chunked": (100, 10)}
HTTP_CALLS = {"/ping": None, "/echo": DATA, "/upload": DATA, "/download/100": None,
              "/compute/9": None, "/sleep/0": None, "/upload-file": DATA,
              "/download-file/100": None, "/upload-file-chunked": DOCUMENT,
              "/download-file-chunked/100/10": None, "/download-file-streamed/100/10": None}
# Operation, number, data and chunk size, and the size of the reply's data in bytes.
TCP_CALLS = {"ping": ((1,), 4), "echo": ((2, len(DATA), DATA), len(DATA)),
             "upload": ((3, len(DATA), DATA), 0), "download": ((4, 100), 100),
             "compute": ((5, 9), 0), "sleep": ((6, 0), 0),
             "upload_file": ((7, len(DATA), DATA), 0), "download_file": ((8, 100), 100),
             "upload_file_chunked": ((9, len(DATA), DATA, 10), 0),
             "download_file_chunked": ((10, 100, b"", 10), 100)}


def least_spins(call, expected):
    """Returns how often the server spun while `call` ran.

    A disturbed machine makes it look like more, so the call is repeated while it is above
    `expected`.
    """
    least = float("inf")
    for _ in range(20):
        begin = time.perf_counter_ns()
        call()
        least = min(least, (time.perf_counter_ns() - begin) // SPIN_NS)
        if least <= expected:
            break
    return least


def ask(connection, path, body):
    connection.request("GET" if body is None else "POST", path, body)
    response = connection.getresponse()
    assert response.status == 200, (path, response.status)
    return response.read()


class OncePerOperationTest(unittest.TestCase):
    def assert_spins(self, expected, what, call, *arguments):
        self.assertEqual(expected, least_spins(lambda: call(*arguments), expected), what)

    def each_model(self, test, protocol):
        for model in MODELS:
            with self.subTest(model=model), \
                    start(protocol, model, f"--inject=spin:{SPIN_NS}") as server:
                test(server)

    def test_tcp(self):
        def call(connection, request, reply_bytes):
            status, _ = tcp_call(connection, *request)
            self.assertEqual(0, status)
            receive(connection, reply_bytes)

        def test(server):
            with server.connect() as connection:
                for name, (request, reply_bytes) in TCP_CALLS.items():
                    self.assert_spins(1, name, call, connection, request, reply_bytes)

        self.each_model(test, "tcp")

    def test_http(self):
        def test(server):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            with contextlib.closing(connection):
                for path, body in HTTP_CALLS.items():
                    self.assert_spins(1, path, ask, connection, path, body)

        self.each_model(test, "http")

    def test_rpyc(self):
        def test(server):
            with connect(server) as connection:
                root = connection.root
                for name, arguments in RPYC_CALLS.items():
                    self.assert_spins(0, f"look up {name}", getattr, root, name)
                    self.assert_spins(1, name, getattr(root, name), *arguments)
                self.assert_spins(1, "GETATTR, CALL and DEL", lambda: root.ping())
                self.assert_spins(1, "by reference", root.upload_file_chunked, [*CHUNKS])
                self.assert_spins(0, "items", list, root.download_file_chunked(100, 10))
                self.assert_spins(0, "the library's ping", connection.ping)

        self.each_model(test, "rpyc")


class BytesTest(unittest.TestCase):
    def test_http_answers_are_a_byte_longer(self):
        def answers(*flags):
            """Returns everything that arrives, by path."""
            found = {}
            with start("http", "threaded", *flags) as server:
                for path, body in HTTP_CALLS.items():
                    with server.connect() as peer, peer.makefile("rb") as stream:
                        data = body.encode() if isinstance(body, str) else body or b""
                        peer.sendall(b"%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                     b"Content-Length: %d\r\n\r\n%s"
                                     % (b"GET" if body is None else b"POST", path.encode(),
                                        len(data), data))
                        found[path] = stream.read()
            return found

        plain, longer = answers(), answers("--inject=bytes")
        self.assertEqual({path: len(answer) + 1 for path, answer in plain.items()},
                         {path: len(answer) for path, answer in longer.items()})

    def test_http_answers_say_the_same(self):
        def answers(*flags):
            with start("http", "threaded", *flags) as server:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
                with contextlib.closing(connection):
                    for path, body in HTTP_CALLS.items():
                        connection.request("GET" if body is None else "POST", path, body)
                        response = connection.getresponse()
                        yield path, response.status, response.getheaders(), response.read()

        self.assertEqual(list(answers()), list(answers("--inject=bytes")))

    def test_rpyc_replies_say_the_same_a_byte_longer(self):
        def calls(*flags):
            """Returns each operation's result and the size of its reply in bytes."""
            found, kept = {}, []
            with start("rpyc", "threaded", *flags) as server, connect(server) as connection:
                for name, arguments in RPYC_CALLS.items():
                    with counted_bytes() as looked_up:
                        method = getattr(connection.root, name)
                    with counted_bytes() as called:
                        result = method(*arguments)
                    kept += [method, result]  # so that no release comes in between
                    found[name] = (sum(looked_up), sum(called),
                                   [*result] if name == "download_file_chunked" else result)
            return found

        plain, longer = calls(), calls("--inject=bytes")
        self.assertEqual({name: (looked_up, called + 1, result)
                          for name, (looked_up, called, result) in plain.items()}, longer)


class RefusalTest(unittest.TestCase):
    def refusal(self, protocol, what):
        """Returns the one line with which the server refuses to start."""
        done = run_to_the_end(f"--protocol={protocol}", "--model=threaded", f"--inject={what}")
        self.assertEqual((2, ""), (done.returncode, done.stdout), done.stderr)
        [line] = done.stderr.splitlines()
        self.assertIn("--inject: ", line)
        return line

    def test_what_is_none_of_the_kinds(self):
        for what in ("spin", "spin:", "spin:0", "spin:5%", "spin:1.5", "spin:-1", "bytes:2",
                     "spin:99999999999999999999", "nothing"):
            with self.subTest(what=what):
                self.assertIn("is not spin:<1..10000000000 ns>[:<percent>], syscall",
                              self.refusal("rpyc", what))

    def test_bytes_where_the_length_is_fixed(self):
        self.assertIn("replies of the protocol tcp have a fixed length",
                      self.refusal("tcp", "bytes"))

    def test_the_bare_loop_takes_none(self):
        for what in ("spin:1000", "syscall", "alloc", "bytes"):
            self.assertIn("the protocol bare has no place for it", self.refusal("bare", what))


if __name__ == "__main__":
    unittest.main()
