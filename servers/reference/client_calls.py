"""Lists the calls that a Python client is measured by, under the names that they have in rows.

`call_of` is a call with the check of its reply; `timed_call` makes it. Every call is
timed by itself, and its reply is verified after the clock has stopped.
"""

import dataclasses
import functools
import time

from operations import Item
from payload import Payload

# The clients' methods by the names of rows. Each returns whether its reply was right.
CHECKED = {"getattr": "get_value", "getattr_missing": "lacks_attribute", "setattr": "set_next",
           "exception": "fails", "with": "enter_and_leave"}
# Each takes a number of objects and returns what it has of them: an attribute of each, or all.
OBJECTS = {
    "attribute_each": lambda item: item.number, "buffiter": lambda item: item.number,
    "obtain": lambda item: item, "by_value": dataclasses.astuple,
    "one_by_one": dataclasses.asdict, "batch": dataclasses.asdict}


def equals(expected):
    """Returns a check whether a reply is equal and of the same type."""
    return lambda reply: isinstance(reply, type(expected)) and reply == expected


def call_of(client, operation, payload):
    """Returns the call of an open client for an operation, as in "echo/1024", and a check of its reply.

    `payload` is one of payload.KINDS. Raises KeyError for an unknown operation.
    """
    name, _, number = operation.partition("/")
    if name in ("ping", "ping_bound"):
        return getattr(client, name), equals("pong")
    if name == "echo":
        data = Payload(payload).of(int(number))
        return functools.partial(client.echo, data), equals(data)
    if name in OBJECTS:
        count = int(number)
        expected = [OBJECTS[name](Item.at(place)) for place in range(count)]
        return functools.partial(getattr(client, name), count), equals(expected)
    return getattr(client, CHECKED[name]), equals(True)


def verify(right):
    """Raises RuntimeError unless `right`."""
    if not right:
        raise RuntimeError("a wrong reply")


def timed_call(call, check):
    """Makes a call, verifies it and returns when it began and its time, both in ns."""
    before = time.perf_counter_ns()
    reply = call()
    spent = time.perf_counter_ns() - before
    verify(check(reply))
    return before, spent
