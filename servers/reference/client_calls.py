"""Lists the calls that a Python client is measured by, under the names that they have in rows.

`call_of` makes a Call of an operation, and `timed_call` makes the call. Every call is timed by
itself, and its reply is verified after the clock has stopped.
"""

import dataclasses
import functools
import time
from typing import Callable

from new_clients import NewClients
from operations import Item
from payload import Payload

PONG = "pong"


def nothing():
    """Does nothing, outside of a call's time."""


@dataclasses.dataclass(frozen=True)
class Call:
    """A call that is timed, and what belongs to it outside of its time."""

    make: Callable  # makes the call and returns its reply
    check: Callable  # takes the reply; returns whether it is right
    before: Callable = nothing  # comes before each call
    after: Callable = nothing  # comes after each call, even if it fails
    had_effect: Callable = lambda: True  # returns whether the last call had, before the client ends


def equals(expected):
    """Returns a check whether a reply is equal and of the same type."""
    return lambda reply: isinstance(reply, type(expected)) and reply == expected


def items(count):
    """Returns the objects of a list."""
    return [Item.at(place) for place in range(count)]


def number_of(item):
    return item.number


# What follows makes Calls of an open client, the number in the operation's name and the kind of
# payload, or returns a function that does.
def method(name, expected):
    """A method without arguments."""
    return lambda client, _number, _payload: Call(getattr(client, name), equals(expected))


def transfer(name, expected):
    """A method that takes a payload of so many bytes, and returns expected(payload)."""
    def make(client, size, payload):
        data = Payload(payload).of(size)
        return Call(functools.partial(getattr(client, name), data), equals(expected(data)))
    return make


def objects(name, told):
    """A method that takes a number of objects, and returns told(item) of each."""
    def make(client, count, _payload):
        expected = [told(item) for item in items(count)]
        return Call(functools.partial(getattr(client, name), count), equals(expected))
    return make


def held_chunks(name):
    """A method that copies a list of so many bytes; the client fetches the reference beforehand."""
    def make(client, count, payload):
        expected = [bytes([byte]) for byte in Payload(payload).of(count)]
        return Call(functools.partial(getattr(client, name), client.hold_chunks(count)), equals(expected))
    return make


def obtain_list(client, count, _payload):
    """Objects instead of bytes, because the native server pickles no other list."""
    return Call(functools.partial(client.obtain_held, client.hold_items(count)), equals(items(count)))


def ping_nodelay(client, _number, _payload):
    client.set_nodelay()
    return Call(client.ping, equals(PONG))


def ping_after_pause(client, milliseconds, _payload):
    return Call(client.ping, equals(PONG), before=functools.partial(time.sleep, milliseconds / 1000))


def pipelined(client, count, _payload):
    return Call(client.pipelined(count), equals([PONG] * count))


def connect(clients, _number, _payload):
    return Call(clients.connect, equals(PONG), after=clients.close)


def set_attribute(client, _number, _payload):
    return Call(client.set_next, equals(True), had_effect=client.has_set)


OPERATIONS = {
    "ping": method("ping", PONG),
    "ping_bound": method("ping_bound", PONG),
    "ping_nodelay": ping_nodelay,
    "ping_after_pause": ping_after_pause,
    "pipelined": pipelined,
    "connect": connect,
    "echo": transfer("echo", lambda data: data),
    "upload": transfer("upload", len),
    "getattr": method("get_value", True),
    "getattr_missing": method("lacks_attribute", True),
    "setattr": set_attribute,
    "exception": method("fails", True),
    "with": method("enter_and_leave", True),
    "attribute_each": objects("attribute_each", number_of),
    "attribute_each_bound": objects("attribute_each_bound", number_of),
    "buffiter": objects("buffiter", number_of),
    "obtain": objects("obtain", lambda item: item),
    "by_value": objects("by_value", dataclasses.astuple),
    "one_by_one": objects("one_by_one", dataclasses.asdict),
    "batch": objects("batch", dataclasses.asdict),
    "list": held_chunks("list_held"),
    "buffiter_list": held_chunks("buffiter_held"),
    "obtain_list": obtain_list,
}


def client_for(operation, make_client):
    """Returns what makes the calls of an operation: a client, or for "connect" a new one for each call."""
    return NewClients(make_client) if operation == "connect" else make_client()


def call_of(client, operation, payload):
    """Returns the Call of an operation, as in "echo/1024", by an open client.

    `payload` is one of payload.KINDS, which the server must have as well. Raises KeyError for an
    unknown operation, and AttributeError for one that the client's protocol lacks.
    """
    name, _, number = operation.partition("/")
    return OPERATIONS[name](client, int(number) if number else None, payload)


def verify(right):
    """Raises RuntimeError unless `right`."""
    if not right:
        raise RuntimeError("a wrong reply")


def timed_call(call):
    """Makes a Call, verifies it and returns when it began and its time, both in ns."""
    make = call.make
    call.before()
    try:
        begin = time.perf_counter_ns()
        reply = make()
        spent = time.perf_counter_ns() - begin
    finally:
        call.after()
    verify(call.check(reply))
    return begin, spent
