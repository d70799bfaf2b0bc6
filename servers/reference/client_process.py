"""Runs real Python clients on request: rpyc, or requests.

It keeps the contract of every server here, but what it serves are commands for clients. One controller
at a time connects and sends lines of JSON:

    {"do":"open","id":1,"protocol":"rpyc","host":"127.0.0.1","port":4711,"operation":"ping","payload":"random"}
    {"do":"calls","id":1,"count":100}                          so many calls
    {"do":"slot","id":1,"warmup_ns":…,"ns":…,"calls":…,"most_ns":…}      calls for a stretch of time
    {"do":"open_threads","id":2,"protocol":"http","port":4711,"clients":10,"shared":false}
    {"do":"round","id":2,"requests":5}                         so many by each thread
    {"do":"threads","id":2}                                    what each thread did in that round
    {"do":"close","id":1}

Each is answered by a line of JSON: {"error":"…"}, or {"bytes":n,…} followed by n bytes, the times of the
calls in ns as 64-bit integers of the machine, or for "threads" a list in JSON. Where the command has
"starts":true, another n bytes follow: when each call began, by the machine's monotonic clock in ns. If
"open_threads" has "keep_failed":true, threads that fail are no error, and "threads" tells which did. Both
commands that open may have a "host" other than 127.0.0.1, and an "authority" for TLS. The clients of a
controller end with it.
"""

import array
import contextlib
import functools
import itertools
import json
import socket
import sys
import time

from client_calls import call_of, client_for, timed_call, verify
from client_threads import ClientThreads
from clients import HOST, HttpClient, RpycClient
from serving import announce, end_with_signals, end_with_stdin, parse_flags

CLIENTS = {"rpyc": RpycClient, "http": HttpClient}
MOST_WARMUP_CALLS = 8


def make_client(command):
    """Returns the client that a command describes, which is not open yet."""
    return CLIENTS[command["protocol"]](command["port"], command.get("authority"), command.get("host", HOST))


class NotClosed:
    """A client that several threads share, and that none of them closes."""

    def __init__(self, client):
        self._client = client

    def ping(self):
        return self._client.ping()

    def close(self):
        pass


class SerialClient:
    """One client that makes one call after the other."""

    def __init__(self, command):
        operation = command["operation"]
        self._client = client_for(operation, functools.partial(make_client, command))
        try:
            self._client.open()
            self._call = call_of(self._client, operation, command["payload"])
            for _ in range(command.get("warmup", 1)):
                timed_call(self._call)
        except BaseException:
            self._client.close()
            raise

    def evidence(self):
        """Returns what the client has counted so far."""
        return {"connections": self._client.connections(), "retries": self._client.retries}

    def calls(self, command):
        """Returns starts and times of a number of calls, and the number of all calls."""
        starts, times = array.array("q"), array.array("q")
        for _ in range(command["count"]):
            self._make_call(starts, times)
        return starts, times, len(times)

    def slot(self, command):
        """Returns the same for a stretch of time; its first calls warm up and have no times."""
        begin = time.perf_counter_ns()
        warmup = 0
        while warmup < MOST_WARMUP_CALLS and time.perf_counter_ns() - begin < command["warmup_ns"]:
            timed_call(self._call)
            warmup += 1
        starts, times = array.array("q"), array.array("q")
        while True:
            self._make_call(starts, times)
            elapsed = time.perf_counter_ns() - begin
            if elapsed >= command["most_ns"] or (elapsed >= command["ns"] and
                                                 len(times) >= command["calls"]):
                return starts, times, warmup + len(times)

    def _make_call(self, starts, times):
        start, spent = timed_call(self._call)
        starts.append(start)
        times.append(spent)

    def close(self):
        try:
            verify(self._call.had_effect())
        finally:
            self._client.close()


class ThreadedClients:
    """Many clients, each a thread; or many threads that share one client."""

    def __init__(self, command):
        self._clients = []
        self._shared = None

        def make_open_client():
            client = make_client(command)
            client.open()
            self._clients.append(client)
            return client

        if command["shared"]:
            self._shared = make_open_client()
            self._shared.serve_in_background()
        make = (lambda: NotClosed(self._shared)) if command["shared"] else make_open_client
        try:
            self._threads = ClientThreads(make, command["clients"], command.get("keep_failed", False))
        except RuntimeError:
            if self._shared is not None:
                self._shared.close()
            raise

    def evidence(self):
        return {"connections": sum(client.connections() for client in self._clients),
                "retries": sum(client.retries for client in self._clients)}

    def round(self, command):
        """Returns starts and times of all requests, their number, and the time of the whole round in ns."""
        spent = self._threads.make_requests(command["requests"])
        starts, times = array.array("q"), array.array("q")
        for thread in self._threads.threads:
            times.extend(thread.samples)
            # Each request began when the one before it ended.
            if thread.samples:
                starts.extend(itertools.accumulate(thread.samples[:-1], initial=thread.begin))
        return starts, times, len(times), spent

    def each(self):
        """Returns what each thread did in the last round; the times of its calls are in the round's."""
        return [{"connect_ns": thread.connect_ns, "begin_ns": thread.begin, "end_ns": thread.end,
                 "requests": len(thread.samples),
                 "error": "" if thread.error is None else
                          f"{type(thread.error).__name__}: {thread.error}"[:1000]}
                for thread in self._threads.threads]

    def close(self):
        self._threads.close()
        if self._shared is not None:
            self._shared.close()


class Controller:
    """Performs the commands of one controller, and owns its clients by their ids."""

    OPENERS = {"open": SerialClient, "open_threads": ThreadedClients}

    def __init__(self):
        self._clients = {}

    def perform(self, command):
        """Returns the answer to a command and what follows it. Raises whatever a client raises."""
        what = command["do"]
        if what in self.OPENERS:
            client = self._clients[command["id"]] = self.OPENERS[what](command)
            return client.evidence(), []
        if what == "close":
            self._clients.pop(command["id"]).close()
            return {}, []
        client = self._clients[command["id"]]
        if what == "threads":
            return {}, [json.dumps(client.each()).encode()]
        if what not in ("calls", "slot", "round"):
            raise ValueError(f"unknown command {what}")
        starts, times, operations, *spent = getattr(client, what)(command)
        return {"operations": operations, "spent_ns": spent[0] if spent else sum(times),
                **client.evidence()}, [times, starts] if command.get("starts") else [times]

    def close(self):
        """Closes what is left; a server that has died is no concern of this process."""
        for client in self._clients.values():
            with contextlib.suppress(Exception):
                client.close()


def serve(connection):
    """Serves one controller until it leaves."""
    controller = Controller()
    with connection, contextlib.closing(controller), connection.makefile("rb") as lines:
        for line in lines:
            try:
                answer, arrays = controller.perform(json.loads(line))
            except Exception as error:  # the controller reports it
                text = " ".join(f"{type(error).__name__}: {error}".split())
                answer, arrays = {"error": text[:1000]}, []
            answer["bytes"] = memoryview(arrays[0]).nbytes if arrays else 0
            connection.sendall(b"".join([json.dumps(answer).encode(), b"\n", *arrays]))


def main():
    flags = parse_flags("client_process", __doc__.splitlines()[0], ("serial",))
    end_with_signals()
    listener = socket.create_server((flags.host, flags.port))
    end_with_stdin()
    announce(listener, flags.nonce)
    while True:
        with contextlib.suppress(OSError):  # a controller may break off
            serve(listener.accept()[0])


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client_process: {error}")
