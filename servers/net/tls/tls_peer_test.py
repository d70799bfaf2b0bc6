"""Tests TLS with foreign peers and bad ones: `tls_peer_test.py bench_server`.

Python's ssl and http.client, the rpyc library, curl and OpenSSL's own client talk to the native servers
in every concurrency model. rpyc_server.py and flask_server.py, with their libraries' own TLS, have to
meet the same expectations. Certificates are made by the openssl command.
"""

import atexit
import contextlib
import http.client
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "servers" / "reference"
sys.path[1:1] = [str(REFERENCE), str(ROOT / "tools")]

# pylint: disable=wrong-import-position
import rpyc
from contract import PATIENCE, Server
from private_authority import PrivateAuthority, openssl
from testing.given_server import run_to_the_end, start, tests_of
from testing.modes import MODELS
from testing.raw_peers import PINGS, receive, swallow
from testing.watching import wait_until

FOLDER = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
atexit.register(FOLDER.cleanup)


def path(name):
    return str(pathlib.Path(FOLDER.name) / name)


def make_all_certificates():
    authority = PrivateAuthority(FOLDER.name)
    authority.sign("server")
    authority.sign("client")
    PrivateAuthority(FOLDER.name, "stranger").sign("unknown")


def flags_of(certificate="server", *more):
    return [f"--tls_certificate={path(certificate + '.pem')}", f"--tls_key={path(certificate + '.key')}",
            *more]


DEMANDING = "--tls_authority={}"


def trusting(authority="authority", client=None, **versions):
    context = ssl.create_default_context(cafile=path(f"{authority}.pem"))
    for name, value in versions.items():
        setattr(context, name, value)
    if client:
        context.load_cert_chain(path(f"{client}.pem"), path(f"{client}.key"))
    return context


class RawClient:
    """A client of TLS on a connection that can still be used by itself."""

    def __init__(self, connection):
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trusting().wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")

    def advance(self):
        """Sends its next messages of the handshake; returns whether it has ended."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._connection.sendall(self._outgoing.read())
        return True

    def shake_hands(self):
        while not self.advance():
            self._incoming.write(self._connection.recv(65536))

    def end(self):
        """Sends close_notify; raises ssl.SSLWantReadError if the connection ends without the peer's."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._connection.sendall(self._outgoing.read())
        while received := self._connection.recv(65536):
            self._incoming.write(received)
        self._tls.unwrap()


class Peers(unittest.TestCase):
    """Helps to start servers and to connect to them."""

    def start(self, protocol, model, *flags):
        server = start(protocol, model, *flags)
        self.addCleanup(server.kill)
        return server

    def wrapped(self, server, context, name="127.0.0.1"):
        connection = server.connect()
        self.addCleanup(connection.close)
        client = context.wrap_socket(connection, server_hostname=name)
        self.addCleanup(client.close)
        return client

    @contextlib.contextmanager
    def leaving_nothing(self, server):
        """Expects what happens to leave the server, and a connection to it, as they were before."""
        def holdings():
            return ([len(os.listdir(f"/proc/{server.pid}/{kind}")) for kind in ("fd", "task")],
                    server.children())
        bystander = self.wrapped(server, trusting(client="client"))
        PINGS["http"](bystander)
        before = holdings()
        yield
        wait_until(lambda: holdings() == before, f"{before} descriptors, threads and children")
        PINGS["http"](bystander)
        self.ping_by_http(server.port, trusting(client="client"))
        self.assertEqual(server.stop(), [])

    def ping_by_http(self, port, context):
        with contextlib.closing(http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=PATIENCE, context=context)) as client:
            for _ in range(3):
                client.request("GET", "/ping")
                self.assertEqual(client.getresponse().read(), b'{"response":"pong"}')

    def ping_by_rpyc(self, port, **files):
        client = rpyc.ssl_connect("127.0.0.1", port, ca_certs=path("authority.pem"), **files)
        self.assertEqual(client.root.ping(), "pong")
        self.assertEqual(client.root.echo(b"x" * 300_000), b"x" * 300_000)
        client.close()


class EveryModel(Peers):
    """What every concurrency model must do."""

    model = None

    def test_serves_python_clients_of_both_protocols(self):
        server = self.start("http", self.model, *flags_of())
        self.ping_by_http(server.port, trusting())
        self.assertEqual(server.stop(), [])
        server = self.start("rpyc", self.model, *flags_of())
        for _ in range(2):
            self.ping_by_rpyc(server.port)
        self.assertEqual(server.stop(), [])

    def test_answers_close_notify(self):
        for protocol in ("http", "rpyc", "tcp"):
            for version in ("1.2", "1.3"):
                with self.subTest(protocol=protocol, version=version):
                    server = self.start(protocol, self.model, *flags_of(), f"--tls_version={version}")
                    with server.connect() as connection:
                        client = RawClient(connection)
                        client.shake_hands()
                        client.end()
                    self.assertEqual(server.stop(), [])

    def test_resumes_sessions(self):
        server = self.start("http", self.model, *flags_of())
        context = trusting()
        session = None
        for resumed in (False, True, True):
            connection = server.connect()
            with context.wrap_socket(connection, server_hostname="127.0.0.1", session=session) as client:
                client.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
                client.recv(1000)
                self.assertEqual(client.session_reused, resumed)
                session = client.session
                client.unwrap()

    def stopped_handshakes(self, server):
        connections = [server.connect() for _ in range(30)]
        for connection in connections[::2]:
            connection.sendall(b"\x16\x03\x01")
        return connections

    def test_a_handshake_that_stops_holds_up_nobody(self):
        limit = 4 * PATIENCE  # seconds, more than the client waits
        server = self.start("http", self.model, *flags_of(), f"--io_timeout_ms={1000 * limit}")
        idle = self.stopped_handshakes(server)
        self.ping_by_http(server.port, trusting())
        for connection in idle:
            connection.close()

    def test_a_handshake_that_stops_is_ended(self):
        server = self.start("http", self.model, *flags_of(), "--io_timeout_ms=300")
        with self.leaving_nothing(server):
            for connection in self.stopped_handshakes(server):
                swallow(connection)  # at most an alert
                connection.close()
                self.assertIn("timed out", server.next_line())

    def test_bad_peers_are_refused_with_one_line_each(self):
        server = self.start("http", self.model, *flags_of(), DEMANDING.format(path("authority.pem")))

        def handshake(context):
            return lambda: self.ping_by_http(server.port, context)

        def raw(data):
            def send():
                with server.connect() as connection:
                    connection.sendall(data)
                    swallow(connection)
            return send

        with self.leaving_nothing(server):
            for peer, line in (
                    (handshake(trusting()), "peer did not return a certificate"),
                    (handshake(trusting(client="unknown")), "verify the certificate"),
                    (handshake(trusting("stranger")), "alert unknown ca"),
                    (handshake(trusting(maximum_version=ssl.TLSVersion.TLSv1_2)), "unsupported protocol"),
                    (raw(b"GET / HTTP/1.1\r\n\r\n"), "http request"),
                    (raw(b"\x00" * 100), "wrong version number"),
                    (raw(b"\x16\x03\x01\x48\x01"), "length too long")):
                with self.subTest(line):
                    with contextlib.suppress(OSError):
                        peer()
                    self.assertIn(line, server.next_line())

    def test_a_record_above_the_limit_ends_its_connection(self):
        server = self.start("http", self.model, *flags_of())
        with self.leaving_nothing(server):
            with server.connect() as connection:
                RawClient(connection).shake_hands()
                connection.sendall(b"\x17\x03\x03" + struct.pack(">H", 2**14 + 257))
                swallow(connection)
            self.assertIn("length too long", server.next_line())

    def test_leaving_in_the_middle_of_a_handshake(self):
        def end(connection):
            connection.shutdown(socket.SHUT_WR)
            swallow(connection)

        def reset(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        server = self.start("http", self.model, *flags_of())
        with self.leaving_nothing(server):
            for leave, line in (end, "stream truncated"), (reset, "Connection reset by peer"):
                with server.connect() as connection:
                    RawClient(connection).advance()
                    receive(connection, 1)  # the server has answered, and waits
                    leave(connection)
                self.assertIn(line, server.next_line())

    def test_a_renegotiation_is_refused(self):
        server = self.start("http", self.model, *flags_of(), "--tls_version=1.2")
        with self.leaving_nothing(server):
            with subprocess.Popen(
                    ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief"],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as client:
                client.stdin.write(b"R\n")
                client.stdin.flush()
                client.wait(PATIENCE)
                self.assertIn(b"no renegotiation", client.stderr.read())
            self.assertIn("alert handshake failure", server.next_line())

    def test_an_end_without_tls_is_told(self):
        for protocol in ("rpyc", "http", "tcp"):
            with self.subTest(protocol):
                server = self.start(protocol, self.model, *flags_of())
                with server.connect() as plain, self.assertRaises((EOFError, ConnectionError)):
                    PINGS[protocol](plain)
                self.assertIn("shake hands by TLS with 127.0.0.1", server.next_line())
                self.assertEqual(server.stop(), [])
                server = self.start(protocol, self.model)
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    self.wrapped(server, trusting())
                self.assertIn("the peer speaks TLS, and this end does not", server.next_line())
                self.assertEqual(server.stop(), [])


class ForeignPeers(Peers):
    """Clients that are no libraries of Python's, and servers that are."""

    def test_curl_and_openssl_agree_on_version_and_application(self):
        for version, name in (("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")):
            server = self.start("http", "async", *flags_of(), f"--tls_version={version}")
            url = f"https://localhost:{server.port}/ping"
            done = subprocess.run(["curl", "-sSv", "--noproxy", "*", "--http1.1", "--cacert",
                                   path("authority.pem"), url], capture_output=True, check=True)
            self.assertEqual(done.stdout, b'{"response":"pong"}')
            self.assertIn(b"http/1.1", done.stderr)
            done = openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-alpn", "http/1.1",
                           "-CAfile", path("authority.pem"), "-verify_return_error", "-brief")
            self.assertIn(name.encode(), done.stderr)
            self.assertEqual(server.stop(), [])

    def test_a_client_that_wants_another_application_is_refused(self):
        server = self.start("http", "async", *flags_of())
        context = trusting()
        context.set_alpn_protocols(["h2"])
        with self.assertRaisesRegex(ssl.SSLError, "no application protocol"):
            self.wrapped(server, context)

    def test_the_python_originals_serve_by_their_own_tls(self):
        for script, model in (("rpyc_server.py", "threaded"), ("rpyc_server.py", "forking"),
                              ("rpyc_server.py", "threadpool"), ("rpyc_server.py", "oneshot"),
                              ("flask_server.py", "threaded")):
            with self.subTest(f"{script} {model}"), Server(
                    ["/usr/bin/python3", REFERENCE / script, f"--model={model}", *flags_of()]) as server:
                if script.startswith("rpyc"):
                    self.ping_by_rpyc(server.port)
                else:
                    self.ping_by_http(server.port, trusting())

    def test_rpyc_verifies_client_certificates(self):
        for server in (self.start("rpyc", "threaded", *flags_of(), DEMANDING.format(path("authority.pem"))),
                       Server(["/usr/bin/python3", REFERENCE / "rpyc_server.py", "--model=threaded",
                               *flags_of(), DEMANDING.format(path("authority.pem"))])):
            with server:
                self.ping_by_rpyc(server.port, keyfile=path("client.key"), certfile=path("client.pem"))
                with self.assertRaises((ssl.SSLError, EOFError, OSError)):
                    self.ping_by_rpyc(server.port)

    def test_a_truncated_request_is_an_error(self):
        server = self.start("http", "async", *flags_of())
        client = self.wrapped(server, trusting())
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        client.shutdown(socket.SHUT_RDWR)  # without close_notify
        self.assertIn("stream truncated", server.next_line())

    def test_mistakes_on_the_command_line_are_told(self):
        for flags, line in (
                ([f"--tls_key={path('server.key')}"], "--tls_certificate: is missing"),
                ([f"--tls_certificate={path('server.pem')}"], "TLS needs the key of its certificate"),
                (["--tls_certificate=/nowhere", "--tls_key=/nowhere"], "read the certificate \"/nowhere\""),
                ([*flags_of(), "--tls_version=1.1"], "1.2 or 1.3")):
            done = run_to_the_end("--protocol=http", "--model=async", *flags)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(line, done.stderr)


def load_tests(loader, _, __):
    make_all_certificates()
    suite = unittest.TestSuite()
    for model in MODELS:
        suite.addTests(tests_of(loader, EveryModel, model=model))
    suite.addTests(loader.loadTestsFromTestCase(ForeignPeers))
    return suite


if __name__ == "__main__":
    unittest.main()
