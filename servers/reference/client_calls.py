"""Lists the calls that a Python client is measured by, under the names that they have in rows.

`call_of` is a call with the check of its reply; `timed_call` makes it. Every call is
timed by itself, and its reply is verified after the clock has stopped.
"""

import functools
import time

from payload import Payload

# The clients' methods by the names of rows. Each returns whether its reply was right.
CHECKED = {"getattr": "get_value", "getattr_missing": "lacks_attribute", "setattr": "set_next",
           "exception": "fails", "with": "enter_and_leave"}
# Each returns how many of the objects, whose number it takes, were right.
OBJECTS = ("attribute_each", "buffiter", "obtain", "by_value", "one_by_one", "batch")


def call_of(client, operation, payload):
    """Returns the call of an open client for an operation, as in "echo/1024", and a check of its reply.

    `payload` is one of payload.KINDS. Raises KeyError for an unknown operation.
    """
    name, _, number = operation.partition("/")
    if name in ("ping", "ping_bound"):
        return getattr(client, name), "pong".__eq__
    if name == "echo":
        data = Payload(payload).of(int(number))
        return functools.partial(client.echo, data), data.__eq__
    if name in OBJECTS:
        count = int(number)
        return functools.partial(getattr(client, name), count), count.__eq__
    return getattr(client, CHECKED[name]), bool


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
