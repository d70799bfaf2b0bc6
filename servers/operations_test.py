"""Tests that every server offers the same operations: `operations_test.py bench_server`.

One suite for all protocols and for the Python originals. A class for each protocol makes the calls
with a foreign client: the real RPyC library, http.client, and plain sockets for the floor. What only
some protocols have is tested by classes of its own.
"""

import contextlib
import copy
import http.client
import io
import json
import pathlib
import pickle
import pickletools
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "reference"))

# pylint: disable=wrong-import-position
from contract import PATIENCE, Server
from operations import MAX_ITEMS, Item
from rpyc.core.consts import HANDLE_PICKLE
from rpyc.core.netref import syncreq
from rpyc.utils.classic import obtain
from testing.given_server import SERVER
from testing.modes import ALL
from testing.rpyc_library import connect
from testing.shared_server import SharedServer

REFERENCE = pathlib.Path(__file__).resolve().parent / "reference"
HEADER = struct.Struct("<BxxxIQ")  # servers/tcp/wire.h
ITEM = struct.Struct("<qdQ")


class Refused(Exception):
    """A server refused an operation; its text says why."""


def item_tuple(item):
    return item.number, item.name, item.weight


class RpycPeer:
    """Makes the calls by the real library."""

    def __init__(self, server):
        self.connection = connect(server)
        self.root = self.connection.root

    def close(self):
        self.connection.close()

    @contextlib.contextmanager
    def refusals(self):
        try:
            yield
        except (ValueError, AttributeError) as error:
            raise Refused(error.args[0]) from None

    def ping(self):
        return self.root.ping()

    def echo(self, data):
        return self.root.echo(data)

    def upload(self, data):
        return self.root.upload(data)

    def download(self, size):
        with self.refusals():
            return self.root.download(size)

    def compute(self, n):
        return self.root.compute(n)

    def sleep(self, seconds):
        return self.root.sleep(seconds)

    def value(self):
        return self.root.value

    def missing(self):
        with self.refusals():
            return self.root.missing

    def set(self, number):
        self.root.setting = number

    def setting(self):
        return self.root.setting

    def fail(self):
        with self.refusals():
            self.root.fail()

    def chunks(self, size, chunk_size):
        with self.refusals():
            return list(self.root.download_file_chunked(size, chunk_size))

    def each_item(self, count):
        return [item_tuple(item) for item in self.root.items(count)]

    def items(self, count):
        with self.refusals():
            return list(self.root.items_by_value(count))

    def call_back(self, function, count):
        with self.refusals():
            return self.root.call_back(function, count)

    def numbers(self, count):
        with self.refusals():
            return list(self.root.numbers(count))

    def block(self, error=None):
        block = self.root.block()
        with contextlib.suppress(RuntimeError), block as entered:
            assert entered == block
            if error:
                raise error
        return block.log()


class HttpPeer:
    """Makes the calls by http.client."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def close(self):
        self.connection.close()

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Refused(json.loads(content)["error"])
        return json.loads(content) if "json" in answer.headers["Content-Type"] else content

    def ping(self):
        return self.ask("GET", "/ping")["response"]

    def echo(self, data):
        return self.ask("POST", "/echo", data)

    def upload(self, data):
        return self.ask("POST", "/upload", data)["size"]

    def download(self, size):
        return self.ask("GET", f"/download/{size}")

    def compute(self, n):
        return self.ask("GET", f"/compute/{n}")["result"]

    def sleep(self, seconds):
        return self.ask("GET", f"/sleep/{seconds}")["duration"]

    def value(self):
        return self.ask("GET", "/value")["value"]

    def missing(self):
        return self.ask("GET", "/missing")

    def set(self, number):
        return self.ask("PUT", f"/setting/{number}")["setting"]

    def setting(self):
        return self.ask("GET", "/setting")["setting"]

    def fail(self):
        self.ask("GET", "/fail")

    def chunks(self, size, chunk_size):
        document = self.ask("GET", f"/download-file-chunked/{size}/{chunk_size}")
        return [bytes.fromhex(chunk) for chunk in document["chunks"]]

    def each_item(self, count):
        return [tuple(self.ask("GET", f"/item/{place}").values()) for place in range(count)]

    def items(self, count):
        return [tuple(item.values()) for item in self.ask("GET", f"/items/{count}")["items"]]


class TcpPeer:
    """Makes the calls by plain sockets."""

    CODES = {name: code for code, name in enumerate(
        ("ping", "echo", "upload", "download", "compute", "sleep", "upload_file", "download_file",
         "upload_file_chunked", "download_file_chunked", "crash", "value", "setting", "fail", "item",
         "items", "call_back"), start=1)}
    WITH_DATA = ("ping", "echo", "download", "download_file_chunked", "item", "items")

    def __init__(self, server):
        self.socket = server.connect()
        self.stream = self.socket.makefile("rb")
        self.last_set = 0

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, operation, number, data=b"", chunk_size=0):
        self.socket.sendall(HEADER.pack(self.CODES[operation], chunk_size, number % 2**64) + data)

    def receive(self, operation):
        code, _, number = HEADER.unpack(self.stream.read(HEADER.size))
        if code == 1:
            raise Refused(self.stream.read(number).decode())
        assert code == 0, code
        return self.stream.read(number) if operation in self.WITH_DATA else number

    def ask(self, operation, number=0, data=b""):
        self.send(operation, number, data)
        return self.receive(operation)

    def ping(self):
        return self.ask("ping").decode()

    def echo(self, data):
        return self.ask("echo", len(data), data)

    def upload(self, data):
        return self.ask("upload", len(data), data)

    def download(self, size):
        return self.ask("download", size)

    def compute(self, n):
        return self.ask("compute", n)

    def sleep(self, seconds):
        return self.ask("sleep", round(seconds * 1e9)) / 1e9

    def value(self):
        return self.ask("value")

    def set(self, number):
        """The reply is the setting before, by which setting() reads it without losing it."""
        self.ask("setting", number)

    def setting(self):
        setting = self.ask("setting", 0)
        self.ask("setting", setting)
        return setting - 2**64 if setting >= 2**63 else setting

    def fail(self):
        self.ask("fail")

    def chunks(self, size, chunk_size):
        """The floor sends one chunk after the other, and nothing shows where each ends."""
        self.send("download_file_chunked", size, chunk_size=chunk_size)
        data = self.receive("download_file_chunked")
        return [data[at:at + chunk_size] for at in range(0, len(data), chunk_size)]

    def decoded(self, data):
        items = []
        while data:
            number, weight, length = ITEM.unpack(data[:ITEM.size])
            end = ITEM.size + length
            items.append((number, data[ITEM.size:end].decode(), weight))
            data = data[end:]
        return items

    def each_item(self, count):
        return [item for place in range(count) for item in self.decoded(self.ask("item", place))]

    def items(self, count):
        return self.decoded(self.ask("items", count))

    def call_back(self, function, count):
        self.send("call_back", count)
        for _ in range(max(count, 0)):
            code, _, number = HEADER.unpack(self.stream.read(HEADER.size))
            if code != self.CODES["call_back"]:
                raise Refused(self.stream.read(number).decode())
            self.socket.sendall(HEADER.pack(0, 0, function(number)))
        return self.receive("call_back")


PEERS = {"rpyc": RpycPeer, "http": HttpPeer, "tcp": TcpPeer}


class Operations(SharedServer):
    """The suite; the classes made below have the `mode`, an entry of the suite's description."""

    mode = None

    @classmethod
    def setUpClass(cls):
        python = cls.mode["python"]
        script = REFERENCE / f"{'rpyc' if cls.mode['protocol'] == 'rpyc' else 'flask'}_server.py"
        command = [sys.executable, script] if python else [SERVER, f"--protocol={cls.mode['protocol']}"]
        cls.server = Server([*command, f"--model={cls.mode['model']}"])

    def setUp(self):
        self.peer = PEERS[self.mode["protocol"]](self.server)
        self.addCleanup(self.peer.close)

    def assert_refused(self, text, call, *arguments):
        with self.assertRaisesRegex(Refused, text):
            call(*arguments)
        self.assertEqual("pong", self.peer.ping())

    def test_payloads(self):
        data = bytes(range(256)) * 50
        self.assertEqual(data, self.peer.echo(data))
        self.assertEqual(len(data), self.peer.upload(data))
        self.assertEqual(b"x" * 5000, self.peer.download(5000))
        self.assert_refused("size must not be negative: -1", self.peer.download, -1)

    def test_chunks(self):
        mib = 1 << 20
        for size, chunk_size in ((10, 4), (2 * mib + 1, mib), (2 * mib + 1, mib + 1), (10, 64 * mib)):
            expected = [bytes(min(chunk_size, size - at)) for at in range(0, size, chunk_size)]
            self.assertEqual(expected, self.peer.chunks(size, chunk_size))
        self.assert_refused("chunk_size must be positive: 0", self.peer.chunks, 10, 0)
        self.assert_refused("chunk_size 67108865 is above the limit of 67108864 bytes",
                            self.peer.chunks, 10, 64 * mib + 1)

    def test_work(self):
        self.assertEqual(332_833_500, self.peer.compute(1000))
        begin = time.monotonic()
        self.assertEqual(0.05, self.peer.sleep(0.05))
        self.assertGreaterEqual(time.monotonic() - begin, 0.05)

    def test_attributes(self):
        self.assertEqual(42, self.peer.value())
        self.assertEqual(0, self.peer.setting())
        for number in (7, -7, 2**63 - 1, 0):
            self.peer.set(number)
            self.assertEqual(number, self.peer.setting())
        self.assertEqual(42, self.peer.value())

    def test_an_error(self):
        for _ in range(3):
            self.assert_refused("^failed as asked$", self.peer.fail)

    def test_items(self):
        expected = [(place, f"item {place}", place + 0.5) for place in range(300)]
        self.assertEqual(expected[:20], self.peer.each_item(20))
        for count in (0, 1, 300):
            self.assertEqual(expected[:count], self.peer.items(count))
        self.assertEqual((MAX_ITEMS - 1, f"item {MAX_ITEMS - 1}", MAX_ITEMS - 0.5),
                         self.peer.items(MAX_ITEMS)[-1])
        self.assert_refused("count must not be negative: -1", self.peer.items, -1)
        self.assert_refused("count 65537 is above the limit of 65536", self.peer.items, MAX_ITEMS + 1)


class Names:
    """Where attributes have names that the server looks up."""

    def test_a_missing_attribute(self):
        self.assert_refused("missing|unknown path", self.peer.missing)


class Callbacks:
    """Where the server can call its client."""

    def test_callbacks(self):
        numbers = []

        def square(number):
            numbers.append(number)
            return number * number

        for count in (0, 1, 20):
            numbers.clear()
            self.assertEqual(sum(n * n for n in range(count)), self.peer.call_back(square, count))
            self.assertEqual(list(range(count)), numbers)
        self.assert_refused("count must not be negative: -1", self.peer.call_back, square, -1)


class References:
    """Where objects cross by reference."""

    def test_objects_list_their_attributes(self):
        names = {name.removeprefix("exposed_") for name in dir(self.peer.root)}
        self.assertLessEqual({"value", "setting", "ping", "call_back"}, names)
        item = self.peer.root.items(1)[0]
        self.assertLessEqual({"number", "name", "weight"}, set(dir(item)))
        self.assertEqual(item, self.peer.root.items(3)[0])
        self.assertNotEqual(item, self.peer.root.items(3)[1])
        self.assertIn(item, self.peer.root.items(2))

    def test_only_one_attribute_can_be_set(self):
        for name in ("value", "ping", "other", "_hidden"):
            with self.assertRaises(AttributeError):
                setattr(self.peer.root, name, 1)
        with self.assertRaises(TypeError):
            self.peer.root.setting = "text"
        self.assertEqual("pong", self.peer.ping())

    def test_an_error_in_a_callback_reaches_the_caller(self):
        def failing(number):
            if number == 2:
                raise ValueError("two")
            return number

        self.assert_refused("two", self.peer.call_back, failing, 5)

    def test_an_iterator(self):
        for count in (0, 1, 50):
            self.assertEqual(list(range(count)), self.peer.numbers(count))
        self.assert_refused("count must not be negative: -1", self.peer.numbers, -1)

    def test_a_context_manager(self):
        self.assertEqual(("entered", "left"), self.peer.block())
        self.assertEqual(("entered", "thrown out"), self.peer.block(RuntimeError("out")))


class Pickles:
    """Where copies of objects cross as pickles."""

    def test_copies_of_objects(self):
        for count in (0, 1, 2, 20, MAX_ITEMS):
            self.assertEqual([Item.at(place) for place in range(count)],
                             obtain(self.peer.root.items(count)))
        self.assertEqual([Item.at(3)], copy.copy(self.peer.root.items(10)[3:4]))
        self.assertEqual([Item.at(8), Item.at(5)], copy.deepcopy(self.peer.root.items(10)[8:2:-3]))

    def test_pickles_are_what_python_writes(self):
        newest = pickle.HIGHEST_PROTOCOL
        # These have one batch and one frame, or several. The memo outgrows one byte at 64 objects.
        for count in (0, 1, 2, 63, 64, 65, 300, 999, 1000, 1001, 2000, 2001, 5000, MAX_ITEMS):
            items = [Item.at(place) for place in range(count)]
            remote = self.peer.root.items(count)
            for protocol in range(2, newest + 1):
                with self.subTest(count=count, protocol=protocol):
                    pickled = syncreq(remote, HANDLE_PICKLE, protocol)
                    self.assertTrue(pickle.dumps(items, protocol) == pickled)
            if count < 100:
                pickletools.dis(pickled, io.StringIO())  # raises ValueError for a malformed one
        self.assertEqual(bytes([0x80, newest]), syncreq(remote, HANDLE_PICKLE, -1)[:2])
        with self.assertRaisesRegex(ValueError, "^pickle protocol must be"):
            syncreq(remote, HANDLE_PICKLE, newest + 1)
        self.assertEqual("pong", self.peer.ping())


class Sessions:
    """Where a connection is a session with a state of its own."""

    def test_another_connection_has_its_own_setting(self):
        self.peer.set(5)
        with contextlib.closing(PEERS[self.mode["protocol"]](self.server)) as other:
            self.assertEqual(0, other.setting())
        self.assertEqual(5, self.peer.setting())


FURTHER = {"rpyc": (Names, Callbacks, References, Pickles, Sessions), "http": (Names,),
           "tcp": (Callbacks, Sessions)}


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for mode in ALL:
        # The others of Python's RPyC serve the same class. These two serve few connections at a time.
        if mode["name"] in ("pyrpyc_oneshot", "pyrpyc_threadpool"):
            continue
        bases = (Operations, *FURTHER[mode["protocol"]], unittest.TestCase)
        suite.addTests(loader.loadTestsFromTestCase(type(mode["name"], bases, {"mode": mode})))
    return suite


if __name__ == "__main__":
    unittest.main()
