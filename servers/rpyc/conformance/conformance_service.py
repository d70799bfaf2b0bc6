"""Serves everything that RPyC allows both ends to do, with the real library.

It keeps the contract of every server. conformance_peer is the same service on the native connection;
what a test expects of one holds for the other. With --allow_public_attrs, names without the prefix
`exposed_` are allowed as well.
"""

import argparse
import builtins
import functools
import pathlib
import sys

import rpyc
from rpyc.core import brine
from rpyc.utils.server import ThreadedServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "reference"))

# pylint: disable=wrong-import-position
from operations import Block
from serving import announce, end_with_signals, end_with_stdin

# Arguments of the builtin exceptions that require particular ones.
ARGUMENTS = {
    UnicodeDecodeError: ("utf-8", b"ab\xff", 2, 3, "invalid start byte"),
    UnicodeEncodeError: ("ascii", "Z\u00fcrich", 1, 2, "ordinal not in range"),
    UnicodeTranslateError: ("Z\u00fcrich", 1, 2, "no translation"),
    SyntaxError: ("bad syntax", ("file.py", 3, 4, "x = = 1", 3, 5)),
    OSError: (5, "Input/output error", "/nowhere"),
    BaseExceptionGroup: ("several", [ValueError("one"), KeyboardInterrupt("two")]),
    ExceptionGroup: ("several", [ValueError("one"), LookupError("two")]),
    StopIteration: (),  # its value is not transmitted
}


def builtin_exceptions():
    """Returns an instance of each builtin class, in the order of their names."""
    found = {value for value in vars(builtins).values()
             if isinstance(value, type) and issubclass(value, BaseException)}
    for cls in sorted(found, key=lambda cls: cls.__name__):
        known = next((base for base in cls.__mro__ if base in ARGUMENTS), None)
        yield cls(*(ARGUMENTS[known] if known else ("why", 7)))


def attributes_of(error):
    """Returns the public attributes whose values can be sent, as pairs, as the library sends them."""
    names = (name for name in dir(error) if not name.startswith("_") and name != "args")
    return tuple((name, getattr(error, name)) for name in names
                 if hasattr(error, name) and brine.dumpable(getattr(error, name)))


@functools.total_ordering
class Number:
    """A number that can be compared, hashed and shown."""

    def __init__(self, number):
        self._number = number

    def __eq__(self, other):
        return self._number == other._number if isinstance(other, Number) else NotImplemented

    def __lt__(self, other):
        return self._number < other._number if isinstance(other, Number) else NotImplemented

    def __hash__(self):
        return hash(self._number)

    def __repr__(self):
        return f"Number({self._number})"


class ConformanceService(rpyc.Service):
    """Offers operations to the peer; the native peer has all of them except the last ones."""

    exposed_answer = 42
    public_answer = 43
    _private_answer = 44

    def on_connect(self, conn):
        self._connection = conn

    def exposed_arguments(self, *positional, **keywords):
        return positional, tuple(keywords.items())

    def exposed_block(self):
        return Block()

    def exposed_call(self, function, *positional, **keywords):
        return function(*positional, **keywords)

    def exposed_catch(self, function, *positional):
        """Calls a function, and describes the exception as it arrived, with its parts encoded."""
        try:
            function(*positional)
        except BaseException as error:  # pylint: disable=broad-except
            return (type(error).__module__, type(error).__name__, brine.dump(error.args),
                    tuple(map(brine.dump, attributes_of(error))), getattr(error, "_remote_tb", ""))
        return None

    def exposed_collect(self, iterable):
        return tuple(iterable)

    def exposed_count(self, end):
        return (number for number in range(end))

    def exposed_descend(self, depth, function):
        """Calls function(depth - 1), which should come back here, until depth is 0."""
        return 1 + function(depth - 1) if depth else 0

    def exposed_hang_up(self):
        self._connection.close()

    def exposed_held(self):
        """Returns how many objects the peer holds."""
        return len(self._connection._local_objects._dict)

    def exposed_number(self, number):
        return Number(number)

    def exposed_request(self, handler, *arguments):
        """Sends a request back."""
        return self._connection.sync_request(handler, *arguments)

    def exposed_throw(self, name, arguments, attributes):
        """Raises a builtin exception or, for a name with a module, one of a new class."""
        module, _, name = name.rpartition(".")
        cls = type(name, (Exception,), {"__module__": module}) if module else getattr(builtins, name)
        error = cls(*arguments)
        for attribute, value in attributes:
            setattr(error, attribute, value)
        raise error

    def exposed_vanish(self):
        self._connection._channel.close()

    # The following are only for a native client, which has no Python classes.

    def exposed_throw_sample(self, name):
        raise next(error for error in builtin_exceptions() if type(error).__name__ == name)

    def exposed_samples(self):
        """Returns the name of every builtin exception, with its arguments as they should arrive."""
        return tuple((type(error).__name__, tuple(argument if brine.dumpable(argument)
                                                  else repr(argument) for argument in error.args))
                     for error in builtin_exceptions())


def main():
    parser = argparse.ArgumentParser(prog="conformance_service", allow_abbrev=False)
    parser.add_argument("--nonce", required=True)
    parser.add_argument("--allow_public_attrs", action="store_true")
    flags = parser.parse_args()
    end_with_signals()
    server = ThreadedServer(ConformanceService, hostname="127.0.0.1", port=0,
                            protocol_config={"allow_public_attrs": flags.allow_public_attrs})
    server.listener.listen(server.backlog)
    end_with_stdin()
    announce(server.listener, flags.nonce)
    server.start()


if __name__ == "__main__":
    main()
