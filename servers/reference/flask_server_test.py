"""Tests the Flask original with http.client: `flask_server_test.py bench_server`.

Covers every route with the bodies of the native server, errors in JSON, and which of its two models
keeps a connection.
"""

import contextlib
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import unittest

from contract import PATIENCE, Server
from payload import KINDS, Payload
from testing import given_server
from testing.shared_server import SharedServer

SCRIPT = pathlib.Path(__file__).resolve().with_name("flask_server.py")
GIB = 1 << 30


def start(model, *flags):
    return Server([sys.executable, SCRIPT, f"--model={model}", *flags])


class Client:
    """Sends requests to one server, and reconnects if the last connection was closed."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def ask(self, method, path, body=None, fields=()):
        """Returns the response and its body."""
        self.connection.request(method, path, body, dict(fields))
        response = self.connection.getresponse()
        return response, response.read()


def body_of(server, path):
    """Returns the body of a GET over a connection of its own."""
    client = Client(server)
    with contextlib.closing(client.connection):
        return client.ask("GET", path)[1]


class Routes(SharedServer):
    """Tests that hold for both models; the test classes below set `model`."""

    @classmethod
    def setUpClass(cls):
        cls.server = start(cls.model)

    def setUp(self):
        self.client = Client(self.server)
        self.addCleanup(self.client.connection.close)

    def ask(self, method, path, body=None, status=200, kind="application/json"):
        response, content = self.client.ask(method, path, body)
        self.assertEqual((status, kind), (response.status, response.headers["Content-Type"]),
                         content[:200])
        self.assertEqual(str(len(content)), response.headers["Content-Length"])
        return content

    def test_small_answers(self):
        self.assertEqual(b'{"response":"pong"}', self.ask("GET", "/ping"))
        self.assertEqual(b'{"result":332833500}', self.ask("GET", "/compute/1000"))

    def test_sleep_sleeps(self):
        begin = time.monotonic()
        self.assertEqual(b'{"duration":0.05}', self.ask("GET", "/sleep/0.05"))
        self.assertGreaterEqual(time.monotonic() - begin, 0.05)

    def test_bytes_up(self):
        for size in (0, 1, 100_000, 3 << 20):
            data = os.urandom(size)
            answer = f'{{"size":{size}}}'.encode()
            self.assertEqual(answer, self.ask("POST", "/upload", data))
            self.assertEqual(answer, self.ask("POST", "/upload-file", data))
            self.assertEqual(data,
                             self.ask("POST", "/echo", data, kind="application/octet-stream"))

    def test_bytes_down(self):
        for size in (0, 1, 100_000, 3 << 20):
            self.assertEqual(b"x" * size, self.ask("GET", f"/download/{size}",
                                                   kind="application/octet-stream"))
            self.assertEqual(bytes(size), self.ask("GET", f"/download-file/{size}",
                                                   kind="application/octet-stream"))

    def test_chunks_up(self):
        data = os.urandom(1 << 20)
        for pieces in ([], [b""], [data], [data[at:at + 65536] for at in range(0, 1 << 20, 65536)]):
            document = json.dumps({"chunks": [piece.hex() for piece in pieces]}).encode()
            self.assertEqual({"size": sum(map(len, pieces))},
                             json.loads(self.ask("POST", "/upload-file-chunked", document)))

    def test_chunks_down(self):
        self.assertEqual(b'{"chunks":["0000","0000","00"]}',
                         self.ask("GET", "/download-file-chunked/5/2"))
        self.assertEqual(b'{"chunks":[]}', self.ask("GET", "/download-file-chunked/0/2"))

    def test_errors_are_json(self):
        for method, path, body, status, text in (
                ("GET", "/nothing", None, 404, "unknown path"),
                ("GET", "/ping/", None, 404, "unknown path"),
                ("GET", "/download", None, 404, "unknown path"),
                ("GET", "/upload", None, 405, "method not allowed"),
                ("DELETE", "/ping", None, 405, "method not allowed"),
                ("OPTIONS", "/ping", None, 405, "method not allowed"),
                ("GET", "/download/ten", None, 400, "not a 64-bit integer: 'ten'"),
                ("GET", f"/compute/{2**63}", None, 400, f"not a 64-bit integer: '{2**63}'"),
                ("GET", "/download/-1", None, 400, "size must not be negative: -1"),
                ("GET", f"/download/{GIB + 1}", None, 400, "above the limit"),
                ("GET", "/compute/3024618", None, 400, "leaves 64 bits"),
                ("GET", "/sleep/soon", None, 400, "not a number: 'soon'"),
                ("GET", "/sleep/-1", None, 400, "must not be negative"),
                ("GET", "/download-file-chunked/10/0", None, 400, "chunk_size must be positive"),
                ("GET", f"/download-file-chunked/10/{GIB}", None, 400, "above the limit"),
                ("GET", f"/download-file-chunked/{GIB}/1", None, 400, "chunks are above"),
                ("POST", "/upload-file-chunked", b'{"chunks":["0"]}', 400, "not a chunk document"),
                ("POST", "/upload-file-chunked", b'{"chunks":[1]}', 400, "not a chunk document"),
                ("POST", "/upload-file-chunked", b"[]", 400, "not a chunk document"),
                ("POST", "/upload-file-chunked", b"7", 400, "not a chunk document"),
                ("POST", "/upload-file-chunked", b"{", 400, "not a chunk document")):
            with self.subTest(method=method, path=path, body=body):
                answer = json.loads(self.ask(method, path, body, status=status))
                self.assertEqual(["error"], list(answer))
                self.assertIn(text, answer["error"])

    def test_a_method_that_is_not_allowed_is_told_which_are(self):
        response, _ = self.client.ask("GET", "/upload")
        self.assertEqual("POST", response.headers["Allow"])

    def announce_a_body(self, size):
        """Sends only the head of an upload and returns the response."""
        connection = self.client.connection
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse()

    def test_many_clients_at_once(self):
        answers = []

        def ping_often():
            client = Client(self.server)
            for _ in range(10):
                answers.append(client.ask("GET", "/ping")[1])
            client.connection.close()

        threads = [threading.Thread(target=ping_often) for _ in range(120)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([b'{"response":"pong"}'] * 1200, answers)

    def test_every_payload_kind_is_the_native_servers(self):
        size = 2_500_000
        for kind in KINDS:
            with (start(self.model, f"--payload={kind}") as server,
                  given_server.start("http", "threaded", f"--payload={kind}") as native):
                for path in (f"/download/{size}", f"/download-file/{size}",
                             f"/download-file-chunked/{size}/65536"):
                    body = body_of(server, path)
                    self.assertEqual(body_of(native, path), body)
                self.assertEqual(Payload(kind).of(size), bytes().join(
                    bytes.fromhex(chunk) for chunk in json.loads(body)["chunks"]))


class DevelopmentServerTest(Routes, unittest.TestCase):
    model = "threaded"

    def test_every_connection_is_closed_after_its_response(self):
        response, _ = self.client.ask("GET", "/ping", fields={"Connection": "keep-alive"})
        self.assertEqual(11, response.version)
        self.assertEqual("close", response.headers["Connection"])
        self.assertIsNone(self.client.connection.sock)

    def test_a_body_above_the_limit_is_refused_unread(self):
        response = self.announce_a_body(GIB + 1)
        self.assertEqual(413, response.status)
        self.assertIn("above the limit", json.loads(response.read())["error"])


class WaitressTest(Routes, unittest.TestCase):
    model = "waitress"

    def test_a_connection_is_kept(self):
        self.client.ask("GET", "/ping")
        first = self.client.connection.sock
        self.assertIsNotNone(first)
        for method, path, body in (("GET", "/download/3000000", None),
                                   ("POST", "/upload", bytes(3_000_000)), ("GET", "/ping", None)):
            response, _ = self.client.ask(method, path, body)
            self.assertEqual(200, response.status)
            self.assertIs(first, self.client.connection.sock)

    def test_a_body_above_every_limit_is_refused_unread(self):
        self.assertEqual(413, self.announce_a_body(3 * GIB).status)


if __name__ == "__main__":
    unittest.main()
