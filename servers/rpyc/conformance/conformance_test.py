"""Compares the native connection with the real RPyC library, which is the client here.

`conformance_test.py server`: the server is conformance_peer or conformance_service.py. The same
expectations must hold for the latter, which shows that they are the library's. The peer sends any
request back and calls what it is passed, so the native connection is tested in both directions.
"""

import contextlib
import functools
import gc
import inspect
import pathlib
import re
import sys
import threading
import unittest

import rpyc
from rpyc.core import brine, consts
from rpyc.core.vinegar import GenericException
from rpyc.lib import get_id_pack
from rpyc.utils.classic import obtain
from rpyc.utils.helpers import buffiter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "reference"))

# pylint: disable=wrong-import-position
from conformance_service import attributes_of, builtin_exceptions
from contract import PATIENCE, Server
from testing.given_server import NATIVE, SERVER
from testing.processes import resident_kib
from testing.rpyc_library import connect

VERSION = tuple(map(int, rpyc.__version__.split(".")[:3]))
REMOTE = "========= Remote Traceback ({}) =========\nTraceback (most recent call last):\n"
CALLS = 40_000 if NATIVE else 5_000


class Raising:
    """Raises its exception when called."""

    def __init__(self, error):
        self._error = error

    def __call__(self, *_, **__):
        raise self._error


class ConformanceTest(unittest.TestCase):
    """Has what the tests of every kind share."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server([SERVER] if NATIVE else [sys.executable, SERVER])

    @classmethod
    def tearDownClass(cls):
        complaints = cls.server.stop()
        cls.server.kill()
        assert not (NATIVE and complaints), complaints

    def setUp(self):
        self.connection = connect(self.server)
        self.addCleanup(self.connection.close)
        self.root = self.connection.root

    def request(self, handler, *arguments):
        """Returns what the peer receives when it sends this request to us."""
        return self.root.request(handler, *arguments)

    def assert_works(self, connection=None):
        self.assertEqual(42, (connection or self.connection).root.answer)


class AttributesTest(ConformanceTest):
    """Tests which attributes are reachable, on the peer's objects and on ours."""

    def test_exposed_names_with_and_without_the_prefix(self):
        self.assertEqual(42, self.root.answer)
        self.assertEqual(42, self.root.exposed_answer)
        self.assertEqual("Number(1)", repr(self.root.exposed_number(1)))
        self.assertTrue(hasattr(self.root, "call"))

    def test_other_names_are_refused_with_a_readable_traceback(self):
        for name in ("public_answer", "_private_answer", "__class__", "__dict__", "exposed_nope"):
            with self.subTest(name):
                if name != "__class__":  # the library may answer this by itself
                    self.assertFalse(hasattr(self.root, name))
                with self.assertRaises(AttributeError) as caught:
                    self.connection.sync_request(consts.HANDLE_GETATTR, self.root, name)
                self.assertIs(AttributeError, type(caught.exception).__mro__[1])
                self.assertEqual(1, len(caught.exception.args))
                self.assertIn(name, caught.exception.args[0])
                text = str(caught.exception)
                self.assertTrue(text.startswith(caught.exception.args[0]), text)
                self.assertIn(REMOTE.format(1), text)
                message = re.escape(f"\nAttributeError: {caught.exception.args[0]}")
                # Python 3.12 and later suggest names.
                self.assertRegex(text, message + r"(\. Did you mean: '\w+'\?)?\n$")
        self.assert_works()

    def test_nothing_can_be_set_or_deleted(self):
        for name in ("answer", "exposed_answer", "_private_answer", "new"):
            with self.assertRaisesRegex(AttributeError, "^access denied"):
                setattr(self.root, name, 1)
            with self.assertRaisesRegex(AttributeError, "^access denied"):
                delattr(self.root, name)
        self.assert_works()

    def test_names_may_be_bytes_but_nothing_else(self):
        sync_request = self.connection.sync_request
        self.assertEqual(42, sync_request(consts.HANDLE_GETATTR, self.root, b"answer"))
        with self.assertRaises(TypeError):
            sync_request(consts.HANDLE_GETATTR, self.root, 7)

    def test_ours_follow_the_rules_of_our_end(self):
        class Mine:  # pylint: disable=too-few-public-methods
            exposed_one = 1
            two = 2
            _three = 3

        for public in (False, True):
            with connect(self.server, allow_public_attrs=public) as connection:
                ask = functools.partial(connection.root.request, consts.HANDLE_GETATTR, Mine())
                self.assertEqual([1, 1], [ask("one"), ask("exposed_one")])
                for name in ("_three", "__class__", "exposed_two") + ("two",) * (not public):
                    with self.assertRaises(AttributeError):
                        ask(name)
                if public:
                    self.assertEqual(2, ask("two"))
                with self.assertRaises(AttributeError):
                    connection.root.request(consts.HANDLE_SETATTR, Mine(), "exposed_one", 3)
                with self.assertRaises(AttributeError):
                    connection.root.request(consts.HANDLE_DELATTR, Mine(), "exposed_one")



class ExceptionsTest(ConformanceTest):
    """Tests exceptions of every builtin class, raised on either side."""

    # The library cannot rebuild exception groups, because their classes need arguments at once. A
    # KeyboardInterrupt stays where it is raised (see below), and a StopIteration has no arguments.
    @staticmethod
    def every():
        return [error for error in builtin_exceptions()
                if not isinstance(error, (BaseExceptionGroup, KeyboardInterrupt, StopIteration))]

    def assert_same(self, error, caught, level):
        self.assertIs(type(error), type(caught).__mro__[1])
        self.assertEqual(error.args, caught.args)
        for name, value in attributes_of(error):
            self.assertEqual(value, getattr(caught, name), name)
        text = str(caught)
        self.assertTrue(text.startswith(str(error)), text)
        if level > 1 and isinstance(error, SyntaxError) and not NATIVE:
            return  # the library drops what it received about an error in a program's text
        for number in range(1, level + 1):
            self.assertIn(REMOTE.format(number), text)
        self.assertNotIn(REMOTE.format(level + 1), text)
        self.assertRegex(text, rf"\n(\S+\.)?{type(error).__name__}: ")

    def test_the_peer_raises_each(self):
        for error in self.every():
            with self.subTest(type(error).__name__):
                with self.assertRaises(type(error)) as caught:
                    self.root.throw(type(error).__name__, error.args, attributes_of(error))
                self.assert_same(error, caught.exception, 1)
        self.assertGreater(len(self.every()), 60)
        self.assert_works()

    def test_the_peer_catches_each(self):
        for error in self.every():
            with self.subTest(type(error).__name__):
                module, name, arguments, attributes, traceback = self.root.catch(Raising(error))
                self.assertEqual(("builtins", type(error).__name__), (module, name))
                self.assertEqual(error.args, brine.load(arguments))
                crossed = dict(map(brine.load, attributes))
                self.assertEqual(crossed, crossed | dict(attributes_of(error)))
                self.assertIn("in __call__\n    raise self._error\n", traceback)
                self.assertIn(f"\n{name}: ", traceback)
        self.assert_works()

    def test_each_of_ours_comes_back_through_the_peer(self):
        for error in self.every():
            with self.subTest(type(error).__name__):
                with self.assertRaises(type(error)) as caught:
                    self.root.call(Raising(error))
                self.assert_same(error, caught.exception, 2)
        self.assert_works()

    def test_tracebacks_of_every_hop_are_kept(self):
        def bounce(depth):
            return self.root.call(bounce, depth - 1) if depth else Raising(LookupError("deep"))()

        with self.assertRaisesRegex(LookupError, "^deep\n") as caught:
            bounce(4)
        for level in range(1, 9):
            self.assertEqual(1, str(caught.exception).count(REMOTE.format(level)), level)

    def test_end_of_iteration_crosses_bare(self):
        with self.assertRaises(StopIteration) as caught:
            self.root.throw("StopIteration", ("value",), ())
        self.assertEqual((), caught.exception.args)
        with self.assertRaises(StopIteration):
            self.root.call(Raising(StopIteration("value")))
        self.assertEqual("StopIteration", self.root.catch(Raising(StopIteration("value")))[1])

    def test_groups_end_in_the_librarys_own_error(self):
        for name in ("ExceptionGroup", "BaseExceptionGroup"):
            with self.assertRaises(TypeError):
                self.root.throw(name, ("several",), ())
        group = ExceptionGroup("several", [ValueError("one")])
        with self.assertRaises(TypeError):
            self.root.call(Raising(group))
        self.assert_works()

    @unittest.skipUnless(NATIVE, "the library has to build what it catches")
    def test_groups_are_caught_with_their_parts_as_texts(self):
        group = ExceptionGroup("several", [ValueError("one"), LookupError("two")])
        module, name, arguments, attributes, traceback = self.root.catch(Raising(group))
        self.assertEqual(("builtins", "ExceptionGroup"), (module, name))
        self.assertEqual(("several", repr(list(group.exceptions))), brine.load(arguments))
        self.assertIn(("message", "several"), tuple(map(brine.load, attributes)))
        self.assertIn("LookupError: two", traceback)

    def test_an_interrupt_of_ours_stays_here(self):
        with self.assertRaises(KeyboardInterrupt):
            self.root.call(Raising(KeyboardInterrupt()))

    def test_an_interrupt_of_the_peer(self):
        # It would end the library's own session; the native one handles no interrupts.
        with self.assertRaises(KeyboardInterrupt if NATIVE else EOFError):
            self.root.throw("KeyboardInterrupt", (), ())

    def test_classes_that_are_not_builtin(self):
        with self.assertRaises(GenericException) as caught:
            self.root.throw("probe.CustomError", (42, "why"), (("code", 7),))
        self.assertEqual("probe.CustomError", type(caught.exception).__name__)
        self.assertEqual((42, "why"), caught.exception.args)
        self.assertEqual(7, caught.exception.code)
        self.assertTrue(str(caught.exception).endswith("probe.CustomError: 42, why\n") if NATIVE
                        else "probe.CustomError: (42, 'why')\n" in str(caught.exception))

        class CustomError(Exception):
            """An exception that the library does not know."""

        caught = self.root.catch(Raising(CustomError(b"\xff", ["a list"])))
        self.assertEqual(CustomError.__name__, caught[1].rpartition(".")[2])
        self.assertEqual((b"\xff", "['a list']"), brine.load(caught[2]))

    def test_arguments_that_are_no_text(self):
        error = ValueError(b"\xff\x00'", None, 1.5, (1, (2,)), 2**70, "\U0001f600" * 1000)
        with self.assertRaises(ValueError) as caught:
            self.root.call(Raising(error))
        self.assertEqual(error.args, caught.exception.args)


class CallsTest(ConformanceTest):
    """Tests arguments, results, calls within calls, and concurrent calls."""

    def test_positional_and_keyword_arguments(self):
        mine = [1]
        positional, keywords = self.root.arguments(1, mine, "two", first=(3, mine), second=None)
        self.assertEqual((1, mine, "two"), positional)
        self.assertIs(mine, positional[1])
        self.assertEqual({"first": (3, mine), "second": None}, dict(keywords))
        self.assertEqual(((), ()), self.root.arguments())

    def test_the_peer_passes_keyword_arguments(self):
        def function(*positional, **keywords):
            return positional, tuple(sorted(keywords.items()))

        self.assertEqual(((1, 2), (("a", 3), ("b", "four"))),
                         self.root.call(function, 1, 2, b="four", a=3))
        ours = self.request(consts.HANDLE_CALLATTR, "text", "__mod__", ((),), ())
        self.assertEqual("text", ours)

    def test_arguments_that_are_none(self):
        sync_request = self.connection.sync_request
        for arguments in ((), (7,), ((), 7), ((), (7,)), ((), (("name",),))):
            with self.assertRaises((TypeError, ValueError)):
                sync_request(consts.HANDLE_CALL, self.root.arguments, *arguments)
        self.assert_works()

    def test_calls_go_back_and_forth(self):
        depths = []

        def down(depth):
            depths.append(depth)
            return self.root.descend(depth, down)

        self.assertEqual(20, self.root.descend(20, down))
        self.assertEqual(list(range(19, -1, -1)), depths)

    def test_calls_nested_too_deeply_end_in_an_error(self):
        def down(depth):
            return self.root.descend(depth, down)

        with self.assertRaises(RecursionError) as caught:
            self.root.descend(1000, down)
        self.assertIn("wait for each other" if NATIVE else "recursion", caught.exception.args[0])
        self.assert_works()

    @unittest.skipUnless(NATIVE and VERSION >= (5, 3, 1),
                         "this rpyc cannot bind threads, or both ends would have to be told")
    def test_a_peer_that_binds_threads(self):
        """Each message then names two threads; several threads ask at once, and are called back."""
        with contextlib.closing(connect(self.server, bind_threads=True)) as connection:
            root = connection.root
            found = {}

            def ask(number):
                found[number] = [root.call(lambda value: value + number, value) for value in range(20)]

            threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            self.assertEqual({number: list(range(number, number + 20)) for number in range(4)}, found)

    def test_a_function_may_call_several_times(self):
        def function(*_):
            return [self.root.call(abs, -number) for number in range(5)]

        self.assertEqual([0, 1, 2, 3, 4], self.root.call(function))

    def test_iterators_of_the_peer(self):
        self.assertEqual([0, 1, 2], list(self.root.count(3)))
        iterator = self.root.count(1)
        self.assertIs(iterator, iter(iterator))
        self.assertEqual(0, next(iterator))
        for _ in range(2):
            with self.assertRaises(StopIteration):
                next(iterator)
        self.assertEqual(list(range(100)), list(buffiter(self.root.count(100))))

    def test_iterators_of_ours(self):
        mine = object()
        for passed in ((1, "two", mine), [1, "two", mine], (item for item in (1, "two", mine)),
                       {1: 0, "two": 0, mine: 0}):
            self.assertEqual((1, "two", mine), tuple(self.root.collect(passed)))
        self.assertEqual((), self.root.collect(iter(())))

        def broken():
            yield 1
            raise LookupError("no second one")

        with self.assertRaisesRegex(LookupError, "^no second one"):
            self.root.collect(broken())

    def test_requests_side_by_side(self):
        call = rpyc.async_(self.root.call)
        results = [call(abs, -number) for number in range(20)]
        self.assertFalse(any(result._is_ready for result in results))
        self.assertEqual(list(range(19, -1, -1)), [result.value for result in results[::-1]])

    def test_answers_come_in_any_order(self):
        # The peer needs our answer to the first request and receives the second request instead.
        order = []
        call, held = rpyc.async_(self.root.call), rpyc.async_(self.root.held)
        first, second = call(lambda: order.append("called")), held()
        first.add_callback(lambda _: order.append("first"))
        second.add_callback(lambda _: order.append("second"))
        self.assertIsNone(first.value)
        self.assertGreater(second.value, 0)
        self.assertEqual(["called", "second", "first"], order)

    def test_an_error_of_a_request_side_by_side(self):
        wrong = rpyc.async_(self.root.throw)("LookupError", ("lost",), ())
        right = rpyc.async_(self.root.number)(1)
        self.assertEqual("Number(1)", repr(right.value))
        wrong.wait()
        self.assertTrue(wrong.error)
        with self.assertRaisesRegex(LookupError, "^lost"):
            wrong.value  # pylint: disable=pointless-statement


class ObjectsTest(ConformanceTest):
    """Tests what can be asked of an object besides calls, of the peer's and of ours."""

    def test_texts(self):
        number = self.root.number(7)
        for text in (repr(number), str(number), f"{number}", format(number)):
            self.assertEqual("Number(7)", text)
        with self.assertRaises(TypeError):
            format(self.root.count(1), "x")
        self.assertIn("ConformanceService", str(self.root))
        for text in (repr(self.root.call), str(self.root.call)):
            self.assertRegex(text, "bound method .*call of .*ConformanceService")

    def test_texts_of_ours(self):
        class Mine:
            def __repr__(self):
                return "as repr"

            def __str__(self):
                return "as str \u00fc"

        self.assertEqual("as repr", self.request(consts.HANDLE_REPR, Mine()))
        self.assertEqual("as str \u00fc", self.request(consts.HANDLE_STR, Mine()))

    def test_hashes(self):
        self.assertEqual(7, hash(self.root.number(7)))
        self.assertEqual(hash(self.root), hash(self.root))
        self.assertNotEqual(hash(self.root), hash(self.root.block()))
        self.assertEqual(1, len({self.root.number(7), self.root.number(7)}))
        self.assertEqual(hash(abs), self.request(consts.HANDLE_HASH, abs))
        with self.assertRaisesRegex(TypeError, "unhashable type: 'list'"):
            self.request(consts.HANDLE_HASH, [])

    def test_comparisons(self):
        one, two, again = map(self.root.number, (1, 2, 1))
        self.assertIsNot(one, again)
        self.assertTrue(one == again and not one == two and one != two and not one != again)
        self.assertTrue(one < two and not two < one and one <= again and not two <= one)
        self.assertTrue(two > one and not one > two and one >= again and not one >= two)
        self.assertEqual([again, one, two], sorted([two, one, again]))
        self.assertFalse(one == 1)
        self.assertTrue(one != 1)
        self.assertTrue(self.root == self.root and not self.root != self.root)
        with self.assertRaises(TypeError):
            one < 1  # pylint: disable=pointless-statement
        with self.assertRaises(TypeError):
            self.root < self.root  # pylint: disable=pointless-statement

    def test_comparisons_that_do_not_exist(self):
        compare = functools.partial(self.connection.sync_request, consts.HANDLE_CMP, self.root)
        self.assertIs(NotImplemented, compare(1, "__eq__"))
        self.assertIs(NotImplemented, compare(self.root, "__lt__"))
        for operation in ("__cmp__", "__class__", "nope"):
            with self.assertRaises(AttributeError):
                compare(self.root, operation)
        with self.assertRaises(AttributeError):
            compare(self.root)

    def test_comparisons_of_ours(self):
        mine = [1, 2]
        for other, operation, expected in ((mine, "__eq__", True), ([1, 3], "__lt__", True),
                                           ([1], "__le__", False), (7, "__gt__", NotImplemented)):
            self.assertIs(expected, self.request(consts.HANDLE_CMP, mine, other, operation))

    def test_lists_of_names(self):
        names = self.connection.sync_request(consts.HANDLE_DIR, self.root)
        self.assertEqual(tuple(sorted(names)), names)  # dir() would sort them itself
        self.assertEqual(list(names), dir(self.root))
        self.assertTrue({"call", "exposed_call"} & set(names), names)
        self.assertIn("__enter__", dir(self.root.block()))
        mine = self.request(consts.HANDLE_DIR, [])
        self.assertEqual(tuple(dir([])), mine)

    def test_inspection(self):
        members = self.connection.sync_request(consts.HANDLE_INSPECT, self.root.____id_pack__)
        self.assertTrue({"call", "exposed_call"} & set(dict(members)), members)
        self.assertTrue(all(isinstance(doc, (str, type(None))) for _, doc in members))
        # The library's own view: special methods, and how objects appear to a program.
        self.assertTrue(callable(self.root.call))
        self.assertTrue(inspect.ismethod(self.root.call))
        self.assertTrue(inspect.isgenerator(self.root.count(1)))
        self.assertIsNone(self.root.number(1).__doc__ if NATIVE else None)
        with self.assertRaises(KeyError):
            self.connection.sync_request(consts.HANDLE_INSPECT, ("nobody.Nothing", 1, 4711))

    def test_inspection_of_ours(self):
        class Mine:  # pylint: disable=too-few-public-methods
            def exposed_method(self):
                """Its doc."""

        def inspect_by_the_peer(mine):
            return dict(self.request(consts.HANDLE_INSPECT, get_id_pack(mine)))

        found = self.root.call(inspect_by_the_peer, Mine())
        self.assertEqual("Its doc.", found["exposed_method"])

    def test_blocks(self):
        block = self.root.block()
        with block as entered:
            self.assertIs(block, entered)
        self.assertEqual(("entered", "left"), block.log())
        with self.assertRaises(ZeroDivisionError):
            with block:
                raise ZeroDivisionError("inside")
        self.assertEqual(("entered", "thrown out"), block.log()[2:])
        with self.assertRaises((AttributeError, TypeError)):
            with self.root.number(1):
                pass

    def test_blocks_of_ours(self):
        seen = []

        class Mine:
            def __exit__(self, *exception):
                seen.append(exception)
                return "result"

        self.assertEqual("result", self.request(consts.HANDLE_CTXEXIT, Mine(), None))
        self.assertEqual([(None, None, None)], seen)

    def test_classes_and_instances(self):
        self.assertFalse(isinstance(self.root, int))
        self.assertTrue(self.request(consts.HANDLE_INSTANCECHECK, list, ("builtins.list", 1, 9)))
        self.assertFalse(self.request(consts.HANDLE_INSTANCECHECK, list, ("nobody.Class", 1, 9)))
        self.assertFalse(self.connection.sync_request(
            consts.HANDLE_INSTANCECHECK, self.root, ("nobody.Class", 1, 9)))
        self.assert_works()

    def test_slices_of_python_2(self):
        ours = self.request(consts.HANDLE_OLDSLICING, [0, 1, 2, 3], "__getitem__", "__getslice__",
                            1, 3, ())
        self.assertEqual([1, 2], ours)
        with self.assertRaises(AttributeError):
            self.connection.sync_request(consts.HANDLE_OLDSLICING, self.root, "__getitem__",
                                         "__getslice__", 1, None, ())

    def test_pickles_are_refused(self):
        for mine in (self.root, self.root.number(1)):
            with self.assertRaisesRegex(ValueError, "^pickling is disabled"):
                obtain(mine)
        with self.assertRaisesRegex(ValueError, "^pickling is disabled"):
            self.request(consts.HANDLE_PICKLE, [1], 4)
        self.assert_works()

    def test_pickles_of_ours_cross_if_we_allow_it(self):
        with connect(self.server, allow_pickle=True) as connection:
            pickled = connection.root.request(consts.HANDLE_PICKLE, [1], 4)
            self.assertIsInstance(pickled, bytes)

    def test_unknown_handlers(self):
        for handler in (0, 21, 99, -1, 2**70, "GETROOT", None, (1, 2)):
            with self.assertRaises(KeyError) as caught:
                self.connection.sync_request(handler)
            self.assertIn(REMOTE.format(1), str(caught.exception))
        with self.assertRaises(KeyError):
            self.request(99)
        self.assert_works()

    def test_wrong_arguments_of_handlers(self):
        for arguments in ((consts.HANDLE_PING,), (consts.HANDLE_GETROOT, 1),
                          (consts.HANDLE_GETATTR, self.root), (consts.HANDLE_REPR,),
                          (consts.HANDLE_CALLATTR, self.root, "number")):
            with self.assertRaises(TypeError):
                self.connection.sync_request(*arguments)
        self.assertEqual("data", self.request(consts.HANDLE_PING, "data"))
        self.assert_works()


class ReferencesTest(ConformanceTest):
    """Tests that references are counted, and gone when they are released."""

    def release(self, reference, count):
        return self.connection.sync_request(consts.HANDLE_DEL, reference, count)

    def test_more_releases_than_references(self):
        number = self.root.number(1)
        self.assertIsNone(self.release(number, 5))
        with self.assertRaises(KeyError):
            repr(number)
        with self.assertRaises(KeyError):
            self.release(number, 1)
        self.assert_works()

    def test_each_reference_counts(self):
        block = self.root.block()
        self.assertIs(block, block.__enter__())  # pylint: disable=unnecessary-dunder-call
        self.assertIs(block, block.__enter__())  # pylint: disable=unnecessary-dunder-call
        self.release(block, 2)
        self.assertEqual(("entered", "entered"), block.log())
        self.release(block, 1)
        with self.assertRaises(KeyError):
            block.log()

    def test_nothing_is_held_by_either_end_after_many_calls(self):
        def held():
            gc.collect()
            self.connection.ping()  # after the releases
            return self.root.held(), len(self.connection._local_objects._dict)

        def use(count):
            for _ in range(count // 1000):
                pending = []
                for _ in range(500):  # half of them bring a reference here, half take one there
                    pending.append(request(consts.HANDLE_GETATTR, self.root, "call"))
                    pending.append(request(consts.HANDLE_CALL, arguments, (mine,)))
                for result in pending:
                    result.wait()

        request, arguments, mine = self.connection.async_request, self.root.arguments, []
        use(CALLS // 20)
        before, memory = held(), resident_kib(self.server.pid)
        use(CALLS)
        self.assertEqual(before, held())
        self.assertLess(resident_kib(self.server.pid) - memory, 2048)


class EndTest(ConformanceTest):
    """Tests that either end closes the connection, with and without announcing it."""

    def test_the_peer_closes(self):
        for how in ("hang_up", "vanish"):
            with self.subTest(how):
                connection = connect(self.server)
                leave, call = getattr(connection.root, how), rpyc.async_(connection.root.call)
                pending = call(lambda: None)
                with self.assertRaises(EOFError):
                    leave()
                with self.assertRaises(EOFError):
                    pending.value  # pylint: disable=pointless-statement
                with self.assertRaises(EOFError):
                    connection.ping()
                self.assertTrue(connection.closed)
                self.assert_works()

    def test_we_close_with_requests_under_way(self):
        for how in (lambda connection: connection.close(),
                    lambda connection: connection._channel.close()):
            connection = connect(self.server)
            call = rpyc.async_(connection.root.call)
            pending = [call(lambda: None) for _ in range(3)]
            how(connection)
            for result in pending:
                with self.assertRaises(EOFError):
                    result.value  # pylint: disable=pointless-statement
            self.assert_works()

    def test_we_close_while_the_peer_waits_for_us(self):
        for how in (lambda connection: connection.close(),
                    lambda connection: connection._channel.close()):
            connection = connect(self.server)
            with self.assertRaises(EOFError):
                connection.root.call(functools.partial(how, connection))
            self.assert_works()


if __name__ == "__main__":
    unittest.main()
