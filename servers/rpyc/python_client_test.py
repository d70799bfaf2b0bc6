"""Tests the service as a program with the real RPyC library sees it, over every model.

`python_client_test.py server`: the server is bench_server, or a Python script that replaces it
(servers/reference/rpyc_server.py) and must meet the same expectations.
"""

import contextlib
import enum
import gc
import os
import pathlib
import statistics
import sys
import time
import unittest

import rpyc
from rpyc.core import consts
from rpyc.utils.helpers import buffiter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

# pylint: disable=wrong-import-position
from contract import Server
from testing.given_server import NATIVE, SERVER, tests_of
from testing.modes import MODELS
from testing.processes import resident_kib
from testing.rpyc_library import connect, counted_bytes
from testing.shared_server import SharedServer
from payload import KINDS, Payload

STALL = 0.035  # seconds; Nagle's algorithm with a delayed acknowledgement costs 0.04


def start(model, *flags):
    command = [SERVER, "--protocol=rpyc"] if NATIVE else [sys.executable, SERVER]
    return Server([*command, f"--model={model}", *flags])


def median_seconds(call, repetitions=30):
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def serving_process(test):
    """Returns the process that serves test.connection, the only open one."""
    return test.server.children()[-1] if test.model == "forking" else test.server.pid


class Operations(SharedServer):
    """Tests that hold for every server and model; the test classes below set `model`."""

    @classmethod
    def setUpClass(cls):
        cls.server = start(cls.model)

    def setUp(self):
        self.connection = connect(self.server)
        self.addCleanup(self.connection.close)
        self.root = self.connection.root

    def test_ping_by_both_names(self):
        self.assertEqual("pong", self.root.ping())
        self.assertEqual("pong", self.root.exposed_ping())

    def test_echo_returns_every_kind_of_value(self):
        values = [None, True, False, NotImplemented, Ellipsis, 0, -48, -49, 159, 160, 2**70, -2**70,
                  0.0, -0.5, float("inf"), 1 + 2j, "", "text", "Zür\u00e7her \U0001f600", (), (1,),
                  (1, (b"2", ("3",))), tuple(range(300)), frozenset((1, "two")), slice(1, 9, None)]
        values += [os.urandom(size) for size in (0, 1, 4, 5, 255, 256, 2999, 3000, 3001, 102400)]
        values += ["long text " * 1000, bytes(102400)]
        for value in values:
            result = self.root.echo(value)
            self.assertEqual((type(value), value), (type(result), result))

    def test_echo_of_a_reference_is_the_same_object(self):
        mine = [1, 2]
        self.assertIs(mine, self.root.echo(mine))
        number, again = self.root.echo((7, mine))
        self.assertEqual(7, number)
        self.assertIs(mine, again)

    def test_upload_counts_bytes(self):
        for size in (0, 10, 3001, 70000, 1 << 20):
            for data in (bytes(size), os.urandom(size)):
                self.assertEqual(size, self.root.upload(data))
                self.assertEqual(size, self.root.upload_file(data))

    def test_keyword_arguments(self):
        self.assertEqual(10, self.root.upload(data=b"0123456789"))
        self.assertEqual(bytes(5), self.root.download_file(size=5))
        chunks = self.root.download_file_chunked(10, chunk_size=4)
        self.assertEqual([bytes(4), bytes(4), bytes(2)], list(chunks))

    def test_downloads_have_size_and_content(self):
        for size in (0, 1, 3000, 3001, 65536, 3 << 20):
            self.assertEqual(b"x" * size, self.root.download(size))
            self.assertEqual(bytes(size), self.root.download_file(size))

    def test_compute(self):
        for n in (0, 1, 1000):
            self.assertEqual(sum(i * i for i in range(n)), self.root.compute(n))

    def test_sleep_sleeps(self):
        begin = time.monotonic()
        self.assertEqual(0.05, self.root.sleep(0.05))
        self.assertGreaterEqual(time.monotonic() - begin, 0.05)
        self.assertEqual(0, self.root.sleep(0))

    def test_chunked_upload_by_reference_and_by_value(self):
        chunks = [os.urandom(65536) for _ in range(24)]
        for passed in (chunks, tuple(chunks), (chunk for chunk in chunks)):
            self.assertEqual(24 * 65536, self.root.upload_file_chunked(passed))
        self.assertEqual(0, self.root.upload_file_chunked([]))
        self.assertEqual(0, self.root.upload_file_chunked(()))

    def test_an_error_in_the_middle_of_the_chunks_comes_back(self):
        def chunks():
            yield b"one"
            raise LookupError("no second chunk")

        with self.assertRaisesRegex(LookupError, "no second chunk"):
            self.root.upload_file_chunked(chunks())
        self.assertEqual("pong", self.root.ping())

    def test_lists_of_chunks_in_pieces_compare_by_content(self):
        size = (1 << 20) + 1  # the first that the server has in several pieces
        chunks = self.root.download_file_chunked(2 * size - 1, size)
        self.assertEqual([bytes(size), bytes(size - 1)], list(chunks))
        self.assertIn(bytes(size), chunks)
        self.assertIn(bytes(size - 1), chunks)
        self.assertNotIn(bytes(size + 1), chunks)
        self.assertNotIn(bytes(size - 1) + b"x", chunks)
        self.assertEqual(chunks, self.root.download_file_chunked(2 * size - 1, size))
        self.assertLess(chunks, self.root.download_file_chunked(2 * size, size))

    def test_chunked_download_is_a_list(self):
        chunks = self.root.download_file_chunked(100_000, 4096)
        expected = [bytes(4096)] * 24 + [bytes(100_000 - 24 * 4096)]
        self.assertEqual(expected, list(chunks))
        self.assertEqual(expected, list(iter(chunks)), "a list can be read twice")
        self.assertEqual(expected, list(buffiter(chunks)))
        self.assertEqual(25, len(chunks))
        self.assertTrue(chunks)
        self.assertEqual(expected[0], chunks[0])
        self.assertEqual(expected[-1], chunks[-1])
        self.assertEqual(b"".join(expected), b"".join(chunks))
        for part in (slice(22, None), slice(None, None, 12), slice(None, None, -1), slice(-3, 99),
                     slice(2, -99, -1), slice(-99, 2), slice(5, 5), slice(99, 20, -2)):
            self.assertEqual(expected[part], list(chunks[part]), part)
        self.assertEqual(expected[::-2][1:][::3], list(chunks[::-2][1:][::3]))
        sliced = self.connection.sync_request(consts.HANDLE_OLDSLICING, chunks, "__getitem__",
                                              "__getslice__", 22, None, ())
        self.assertEqual(expected[22:], list(sliced), "as programs for Python 2 ask")
        self.assertIn(expected[24], chunks)
        self.assertNotIn(b"", chunks)
        with self.assertRaises(IndexError):
            chunks[25]  # pylint: disable=pointless-statement
        with self.assertRaises(TypeError):
            chunks["first"]  # pylint: disable=pointless-statement

    def test_lists_compare_by_content(self):
        small, large, again = (self.root.download_file_chunked(size, 4) for size in (7, 9, 7))
        self.assertIsNot(small, again)
        self.assertTrue(small == again and not small != again and not small == large)
        self.assertTrue(small < large and small <= again and not large <= small)
        self.assertTrue(large > small and again >= small and not small > again)
        self.assertFalse(small == [bytes(4), bytes(3)], "a list of the other end is another one")
        with self.assertRaisesRegex(TypeError, "unhashable type: 'list'"):
            hash(small)

    def test_objects_as_text(self):
        for thing in (self.root, self.root.ping, self.root.download_file_chunked(7, 4)):
            self.assertEqual(str(thing), f"{thing}")
            with self.assertRaises(TypeError):
                format(thing, "x")

    def test_an_empty_chunked_download(self):
        chunks = self.root.download_file_chunked(0, 4096)
        self.assertEqual([], list(chunks))
        self.assertFalse(chunks)

    def test_a_bound_method_can_be_kept(self):
        upload = self.root.upload
        self.assertEqual([0, 1, 2], [upload(bytes(size)) for size in range(3)])

    def test_asynchronous_calls(self):
        sleep = rpyc.async_(self.root.sleep)
        begin = time.monotonic()
        first, second = sleep(0.1), sleep(0.01)
        self.assertLess(time.monotonic() - begin, 0.1)
        self.assertFalse(first.ready)
        self.assertEqual(0.01, second.value)
        self.assertEqual(0.1, first.value)

    def test_numbers_of_other_classes(self):
        """They are sent by reference, and the server asks them which number they are."""
        class Size(enum.IntEnum):
            THOUSAND = 1000

        class Whole(int):
            pass

        class Index:
            def __index__(self):
                return 1

        class Real:
            def __float__(self):
                return 0.001

        self.assertEqual(1000, len(self.root.download(Size.THOUSAND)))
        self.assertEqual(5, len(self.root.download_file(Whole(5))))
        self.assertEqual(285, self.root.compute(Whole(10)))
        self.assertEqual(3, len(self.root.download_file_chunked(Whole(9), Whole(3))))
        items = self.root.download_file_chunked(9, 4)
        self.assertEqual(b"\0" * 4, items[Whole(1)])
        self.assertEqual(b"\0", items[Whole(-1)])
        self.assertEqual(b"\0" * 4, items[Index()])
        if NATIVE:  # Python's time.sleep() does not accept it
            self.root.sleep(Real())
        self.root.sleep(Whole(0))
        for wrong in (1.5, "1", None, [1]):
            with self.assertRaises(TypeError):
                self.root.download(wrong)
        self.assertEqual("pong", self.root.ping())

    @unittest.skipUnless(NATIVE, "Python's service has no limits")
    def test_what_is_sent_is_limited_as_what_is_fetched(self):
        def endless():
            while True:
                yield b"x"

        with start("threaded", "--max_bytes=1000", "--max_chunks=10") as server:
            with contextlib.closing(connect(server)) as connection:
                root = connection.root
                self.assertEqual(1000, root.upload(bytes(1000)))
                self.assertEqual(1000, root.upload_file_chunked([bytes(100)] * 10))
                self.assertEqual(bytes(1000), root.echo(bytes(1000)))
                for call in (lambda: root.upload(bytes(1001)), lambda: root.upload_file("x" * 1001),
                             lambda: root.echo(bytes(1001)), lambda: root.upload(range(1001)),
                             lambda: root.upload_file_chunked([bytes(501)] * 2),
                             lambda: root.upload_file_chunked((bytes(501),) * 2),
                             lambda: root.upload_file_chunked([b""] * 11),
                             lambda: root.upload_file_chunked((b"",) * 11),
                             lambda: root.upload_file_chunked(endless())):
                    with self.assertRaisesRegex(ValueError, "above the limit of 10"):
                        call()
                self.assertEqual("pong", root.ping())

    @unittest.skipUnless(NATIVE, "Python's keeps the references")
    def test_old_slices_with_references(self):
        """Python 2 translates `object[start:stop]` to these calls; here the bounds are objects."""
        class Bound:
            def __index__(self):
                return 1

        items = self.root.download_file_chunked(9, 3)

        def old_slice(target, item, start, stop):
            return self.connection.sync_request(consts.HANDLE_OLDSLICING, target, item, item, start,
                                                stop, ())

        self.assertEqual([bytes(3)] * 2, list(old_slice(items, "__getitem__", Bound(), None)))
        self.assertEqual(slice(1, None, None), old_slice(self.root, "echo", Bound(), None))
        with self.assertRaises(TypeError):
            old_slice(self.root, "echo", self.root, None)
        self.assertEqual("pong", self.root.ping())

    def test_value_errors(self):
        for call in (lambda: self.root.sleep(-1), lambda: self.root.download(-1),
                     lambda: self.root.compute(-1), lambda: self.root.compute(3_024_618),
                     lambda: self.root.download_file_chunked(10, 0)):
            with self.assertRaises(ValueError) as caught:
                call()
            self.assertEqual(1, len(caught.exception.args))
        with self.assertRaises(ValueError) as caught:
            self.root.sleep(-1)
        self.assertEqual(("sleep length must not be negative",), caught.exception.args)

    def test_attribute_errors(self):
        for name in ("nope", "exposed_nope", "_hidden", "__class_getitem__"):
            with self.assertRaises(AttributeError) as caught:
                getattr(self.root, name)
            self.assertIn(name, caught.exception.args[0])
            self.assertRegex(str(caught.exception), r"=\nTraceback \(most recent call last\):\n"
                                                    r"(.*\n)+AttributeError: .*" + name)
        with self.assertRaises(AttributeError):
            self.root.ping = 1
        with self.assertRaises(AttributeError):
            del self.root.ping
        self.assertEqual("pong", self.root.ping())

    def test_type_errors(self):
        for call in (lambda: self.root.upload(), lambda: self.root.ping(1),
                     lambda: self.root.upload(1), lambda: self.root.download("many"),
                     lambda: self.root.upload(b"", wrong=1), lambda: self.root()):
            with self.assertRaises(TypeError) as caught:
                call()
            self.assertEqual(1, len(caught.exception.args))
        self.assertEqual("pong", self.root.ping())

    def test_connection_ping(self):
        self.connection.ping()
        self.connection.ping(data="x" * 5000)

    def test_the_root_describes_itself(self):
        self.assertIn("BenchmarkService", str(self.root))
        self.assertIn("BenchmarkService", repr(self.root))
        self.assertTrue({"ping", "exposed_ping"} & set(dir(self.root)), dir(self.root))
        self.assertEqual(hash(self.root), hash(self.root))
        self.assertEqual(self.root, self.root)
        self.assertIn("BenchmarkService", self.root.____id_pack__[0])

    def test_connections_are_independent(self):
        others = [connect(self.server) for _ in range(20)]
        self.assertEqual(["pong"] * 20, [other.root.ping() for other in others])
        for other in others[::2]:
            other.close()
        self.assertEqual(["pong"] * 10, [other.root.ping() for other in others[1::2]])
        for other in others[1::2]:
            other.close()

    def test_close_ends_the_connection(self):
        self.connection.close()
        self.assertTrue(self.connection.closed)
        with self.assertRaises(EOFError):
            self.connection.ping()
        with connect(self.server) as another:
            self.assertEqual("pong", another.root.ping())

    def test_a_released_list_is_gone(self):
        chunks = self.root.download_file_chunked(100, 10)
        id_pack = chunks.____id_pack__
        self.assertEqual(10, len(chunks))
        del chunks
        gc.collect()
        stale = self.connection._netref_factory(id_pack)
        with self.assertRaises(KeyError):
            len(stale)
        del stale
        gc.collect()  # releases what the server does not know
        self.assertEqual("pong", self.root.ping())

    def test_memory_stays_flat(self):
        def use(count):
            for _ in range(count):
                self.root.ping()
                len(self.root.download_file_chunked(100, 10))

        use(300)
        before = resident_kib(serving_process(self))
        use(2000)
        self.assertLess(resident_kib(serving_process(self)) - before, 1024)

    def test_every_payload_kind(self):
        for kind in KINDS:
            expected = Payload(kind)
            with start(self.model, f"--payload={kind}") as server, connect(server) as connection:
                root = connection.root
                for size in (100, 100_000, 2_500_000):
                    self.assertEqual(expected.of(size), root.download(size))
                    self.assertEqual(expected.of(size), root.download_file(size))
                chunks = root.download_file_chunked(1_200_000, 65536)
                self.assertEqual(expected.of(1_200_000), b"".join(chunks))
                data = expected.of(1_200_000)
                self.assertEqual(data, root.echo(data))
                self.assertEqual(len(data), root.upload(data))


class NativeOnly:
    """Tests where the native server is better or stricter than the library's."""

    def setUp(self):
        self.server = start(self.model)
        self.addCleanup(self.server.kill)
        self.connection = connect(self.server)
        self.addCleanup(self.connection.close)
        self.root = self.connection.root

    def test_large_frames_do_not_stall(self):
        data = os.urandom(200_000)
        self.assertLess(median_seconds(lambda: self.root.upload(data)), STALL)
        self.assertLess(median_seconds(lambda: self.root.download(200_000)), STALL)
        self.assertLess(median_seconds(lambda: self.root.echo(data)), STALL)

    def test_pings_do_not_stall(self):
        self.assertLess(median_seconds(self.root.ping, 100), STALL / 5)

    def test_lists_do_not_stall(self):
        chunks = [b"chunk"] * 3
        for call in (lambda: self.root.echo(chunks),
                     lambda: self.root.upload_file_chunked(chunks)):
            self.assertLess(median_seconds(call), STALL / 2)

    def test_lists_take_memory_only_once(self):
        before = resident_kib(serving_process(self))
        lists = [self.root.download_file_chunked(1 << 20, 1) for _ in range(30)]
        self.assertLess(resident_kib(serving_process(self)) - before, 10_000)
        self.assertEqual({1 << 20}, set(map(len, lists)))

    def test_large_frames_are_compressed(self):
        with counted_bytes() as sizes:
            self.root.download(1_000_000)
        self.assertLess(sum(sizes), 30_000)

    def test_compression_can_be_off(self):
        with start(self.model, "--compression=off") as server, connect(server) as connection:
            root = connection.root
            with counted_bytes() as sizes:
                self.assertEqual(b"x" * 1_000_000, root.download(1_000_000))
            self.assertGreater(sum(sizes), 1_000_000)
            self.assertEqual(1_000_000, root.upload(bytes(1_000_000)))

    def test_pickle_is_refused(self):
        chunks = self.root.download_file_chunked(100, 10)
        with self.assertRaisesRegex(ValueError, "pickling is disabled"):
            rpyc.utils.classic.obtain(chunks)
        self.assertEqual("pong", self.root.ping())


def load_tests(loader, _tests, _pattern):
    # Of the library's other models, one polls with delays and one serves a connection at a time.
    return unittest.TestSuite(
        tests_of(loader, case, model=model)
        for model in (MODELS if NATIVE else ("threaded", "forking"))
        for case in ((Operations, NativeOnly) if NATIVE else (Operations,)))


if __name__ == "__main__":
    unittest.main()
