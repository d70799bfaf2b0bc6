"""Tests the HTTP servers with foreign clients: `http_peer_test.py bench_server`.

Covers every operation through Python's http.client and through curl, many requests on one
connection, pipelining and mistakes, in every concurrency model. garbage_test.py has peers that
break off, stall or send garbage.
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from contract import PATIENCE
from testing.given_server import start, tests_of
from testing.modes import MODELS

MAX_BYTES = 16 << 20


class PeerTest:
    """Tests that every model must pass; the classes made below name the model."""

    model = None

    def setUp(self):
        self.server = start("http", self.model, f"--max_bytes={MAX_BYTES}")
        self.addCleanup(self.server.kill)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, method, path, body=None, status=200):
        connection.request(method, path, body)
        response = connection.getresponse()
        content = response.read()
        self.assertEqual(response.status, status, content[:200])
        return content

    def ask_json(self, *args, **kwargs):
        return json.loads(self.ask(*args, **kwargs))

    def curl(self, *args, data=None):
        done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(PATIENCE),
                               "--noproxy", "*", *args],
                              input=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def assert_log(self, *expected):
        """Expects that the server ended well and wrote exactly these lines, each given by a part of it."""
        lines = self.server.stop()
        self.assertEqual(self.server.process.returncode, 0, lines)
        self.assertEqual(len(lines), len(expected), lines)
        for part in expected:
            self.assertTrue(any(part in line for line in lines), (part, lines))

    def test_every_operation_over_one_connection(self):
        connection = self.connect()
        connection.connect()
        first = connection.sock
        data = os.urandom(3 << 20)
        for _ in range(2):
            self.assertEqual(self.ask_json(connection, "GET", "/ping"), {"response": "pong"})
            self.assertEqual(self.ask(connection, "POST", "/echo", data), data)
            self.assertEqual(self.ask_json(connection, "POST", "/upload", data),
                             {"size": len(data)})
            self.assertEqual(self.ask(connection, "GET", "/download/2500000"), b"x" * 2500000)
            self.assertEqual(self.ask_json(connection, "GET", "/compute/1000"),
                             {"result": sum(i * i for i in range(1000))})
            self.assertEqual(self.ask_json(connection, "GET", "/sleep/0.01"), {"duration": 0.01})
            self.assertEqual(self.ask_json(connection, "POST", "/upload-file", data),
                             {"size": len(data)})
            self.assertEqual(self.ask(connection, "GET", "/download-file/1500000"),
                             bytes(1500000))
            document = json.dumps({"chunks": [data[at:at + 65536].hex()
                                              for at in range(0, len(data), 65536)]})
            self.assertEqual(self.ask_json(connection, "POST", "/upload-file-chunked", document),
                             {"size": len(data)})
            chunks = self.ask_json(connection, "GET", "/download-file-chunked/200000/65536")
            self.assertEqual([len(bytes.fromhex(chunk)) for chunk in chunks["chunks"]],
                             [65536, 65536, 65536, 3392])
            self.assertEqual(
                self.ask(connection, "GET", "/download-file-streamed/1500000/4096"),
                bytes(1500000))
            self.assertIs(connection.sock, first, "the connection was closed")
        self.assert_log()

    def test_a_body_in_chunks(self):
        data = os.urandom(1 << 20)
        parts = [data[at:at + 10007] for at in range(0, len(data), 10007)]
        self.assertEqual(self.ask(self.connect(), "POST", "/echo", iter(parts)), data)
        self.assert_log()

    def test_every_operation_by_curl(self):
        data = os.urandom(4 << 20)
        upload = ["--data-binary", "@-", "-H", "Expect: 100-continue"]
        with tempfile.NamedTemporaryFile() as trace:
            sent = self.curl("--trace-ascii", trace.name, *upload, self.url("/upload"), data=data)
            self.assertEqual(json.loads(sent), {"size": len(data)})
            self.assertIn(b"HTTP/1.1 100 Continue", trace.read())
        self.assertEqual(self.curl(*upload, self.url("/echo"), data=data), data)
        self.assertEqual(self.curl("-T", "-", "-X", "POST", self.url("/echo"), data=data), data)
        self.assertEqual(json.loads(self.curl(*upload, self.url("/upload-file"), data=data)),
                         {"size": len(data)})
        document = json.dumps({"chunks": [data.hex(), ""]}).encode()
        self.assertEqual(
            json.loads(self.curl(*upload, self.url("/upload-file-chunked"), data=document)),
            {"size": len(data)})
        # curl itself reports two transfers over one connection.
        count = self.curl("-w", " %{num_connects}", self.url("/ping"), self.url("/compute/3"))
        self.assertEqual(count, b'{"response":"pong"} 1{"result":5} 0')
        self.assertEqual(self.curl(self.url("/download/70000")), b"x" * 70000)
        self.assertEqual(self.curl(self.url("/download-file/70000")), bytes(70000))
        self.assertEqual(json.loads(self.curl(self.url("/sleep/0"))), {"duration": 0})
        self.assertEqual(json.loads(self.curl(self.url("/download-file-chunked/3/2"))),
                         {"chunks": ["0000", "00"]})
        self.assertEqual(self.curl(self.url("/download-file-streamed/3000000/65536")),
                         bytes(3_000_000))
        self.assertEqual(self.curl("--http1.0", self.url("/ping")), b'{"response":"pong"}')
        self.assertIn(b"Content-Length: 70000", self.curl("-I", self.url("/download/70000")))
        self.assert_log()

    def test_pipelined_requests_are_answered_in_order(self):
        peer = self.enterContext(self.server.connect())
        count = 500
        requests = b"".join(b"GET /compute/%d HTTP/1.1\r\nHost: h\r\n\r\n" % n
                            for n in range(count))
        requests += b"GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        sender = threading.Thread(target=peer.sendall, args=(requests,))
        sender.start()
        answers = peer.makefile("rb").read()
        sender.join()
        results = [part.split(b"}")[0] for part in answers.split(b'"result":')[1:]]
        self.assertEqual(results, [b"%d" % sum(i * i for i in range(n)) for n in range(count)])
        self.assertTrue(answers.endswith(b'{"response":"pong"}'))
        self.assert_log()

    def test_mistakes_are_answered_in_json(self):
        connection = self.connect()
        for method, path, body, status, text in [
                ("GET", "/nothing", None, 404, "unknown path"),
                ("GET", "/upload", None, 405, "method not allowed"),
                ("GET", "/download/ten", None, 400, "not a 64-bit integer: 'ten'"),
                ("GET", "/download/-1", None, 400, "size must not be negative: -1"),
                ("GET", "/compute/3024618", None, 400, "leaves 64 bits"),
                ("GET", f"/download/{MAX_BYTES + 1}", None, 400, "above the limit"),
                ("POST", "/upload-file-chunked", '{"chunks":["0"]}', 400, "odd number of digits"),
                ("POST", "/upload-file-chunked", "[]", 400, "expected '{'"),
                ("POST", "/nothing", b"body", 404, "unknown path"),
                ("POST", "/upload", bytes(MAX_BYTES + 1), 413, "above the limit")]:
            with self.subTest(path=path, body=body and len(body)):
                answer = self.ask_json(connection, method, path, body, status=status)
                self.assertEqual(list(answer), ["error"])
                self.assertIn(text, answer["error"])
        # The server gives up a connection only if a body was left unread, and reports it in one line.
        self.assert_log("400, closed: chunk 0 has an odd", "400, closed: not a chunk document",
                        "404, closed: unknown path", "413, closed: the body is above")


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(tests_of(loader, PeerTest, model=model) for model in MODELS)


if __name__ == "__main__":
    unittest.main()
