"""Tests the HTTP servers with foreign clients: `http_peer_test.py bench_server`.

Covers every operation through Python's http.client and through curl, many requests on one connection,
and pipelining. It also covers what happens to others when a peer breaks off, stalls or sends garbage.
The server is started once for each concurrency model, and ends when its stdin is closed.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

BENCH_SERVER = None  # set from the command line
TIMEOUT = 20  # seconds; only a hanging server takes that long
IO_TIMEOUT_MS = 300
MAX_BYTES = 16 << 20


class Server:
    """Runs a bench_server; `log()` ends it and returns its stderr."""

    def __init__(self, model):
        self._stderr = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [BENCH_SERVER, "--protocol", "http", "--model", model, "--nonce", "peer-test",
             "--io_timeout_ms", str(IO_TIMEOUT_MS), "--max_bytes", str(MAX_BYTES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr)
        line = json.loads(self._process.stdout.readline())
        assert line["nonce"] == "peer-test", line
        self.port = line["port"]

    def log(self):
        if self._process.stdin.closed:
            return []
        self._process.stdin.close()
        self.status = self._process.wait(TIMEOUT)
        self._process.stdout.close()
        self._stderr.seek(0)
        lines = self._stderr.read().decode().splitlines()
        self._stderr.close()
        return lines


class PeerTest:
    """Tests that every model must pass; the subclasses name the model."""

    model = None

    def setUp(self):
        self.server = Server(self.model)
        self.addCleanup(self.server.log)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT)
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

    def raw(self):
        peer = socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT)
        self.addCleanup(peer.close)
        return peer

    def read_all(self, peer):
        parts = []
        while part := peer.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def curl(self, *args, data=None):
        done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(TIMEOUT),
                               "--noproxy", "*", *args],
                              input=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def assert_log(self, *expected):
        """Expects that the server ended well and wrote exactly these lines, each given by a part of it."""
        lines = self.server.log()
        self.assertEqual(self.server.status, 0, lines)
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
        peer = self.raw()
        count = 500
        requests = b"".join(b"GET /compute/%d HTTP/1.1\r\nHost: h\r\n\r\n" % n
                            for n in range(count))
        requests += b"GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        sender = threading.Thread(target=peer.sendall, args=(requests,))
        sender.start()
        answers = self.read_all(peer)
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

    def test_broken_peers_hurt_no_other(self):
        others = [self.connect() for _ in range(3)]
        for other in others:
            self.ask(other, "GET", "/ping")

        garbage = self.raw()
        garbage.sendall(bytes(range(256)) * 64)
        self.assertTrue(self.read_all(garbage).startswith(b"HTTP/1.1 400 Bad Request\r\n"))

        long_head = self.raw()
        long_head.sendall(b"GET /ping HTTP/1.1\r\nHost: h\r\nName: " + b"v" * 9000)
        self.assertTrue(self.read_all(long_head).startswith(b"HTTP/1.1 431 "))

        stalled = self.raw()
        stalled.sendall(b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nhalf")
        self.assertEqual(self.read_all(stalled), b"", "given up without an answer")

        gone = self.raw()
        gone.sendall(b"POST /upload-file-chunked HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{")
        gone.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read_all(gone), b"", "closed once its line is written")

        # The connection stays idle for longer than the time limit.
        for other in others:
            self.assertIsNotNone(other.sock)
            self.assertEqual(self.ask_json(other, "GET", "/ping"), {"response": "pong"})
            other.close()
        new = self.connect()
        self.assertEqual(self.ask_json(new, "GET", "/ping"), {"response": "pong"})
        new.close()
        self.assert_log("400, closed", "431, closed", "timed out",
                        "the peer closed the connection")


class ThreadedTest(PeerTest, unittest.TestCase):
    model = "threaded"


class ForkingTest(PeerTest, unittest.TestCase):
    model = "forking"


class ThreadPoolTest(PeerTest, unittest.TestCase):
    model = "threadpool"


class AsyncTest(PeerTest, unittest.TestCase):
    model = "async"


if __name__ == "__main__":
    BENCH_SERVER = sys.argv.pop(1)
    unittest.main()
