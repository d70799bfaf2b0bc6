#!/usr/bin/python3
"""Records what the installed RPyC library writes: record.py recording.json [conversation…]

Starts the project's own rpyc_server.py, puts a relay between it and a client of the same library, and
appends the conversations that the file lacks to those of the library's dialect. Every other byte of the
file stays as it is. Run it once with rpyc 5.3.0 and once with 6.0.1, for example on Debian 12 and 13. A
conversation is a line of CONVERSATIONS: a call of a client, and how often it is made.
"""

import argparse
import contextlib
import json
import pathlib
import re
import select
import socket
import struct
import sys
import threading
import time
import zlib

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "reference"
sys.path.insert(0, str(REFERENCE))

# pylint: disable=wrong-import-position
import rpyc
from clients import RpycClient
from contract import PATIENCE, Server
from rpyc.core import brine, consts

HEAD = struct.Struct(">LB")  # length of the payload, whether it is compressed
PAUSE = 0.05  # seconds between two calls, in which messages that nobody waits for arrive
MESSAGES = {1: "REQUEST", 2: "REPLY", 3: "EXCEPTION"}
HANDLERS = {number: name.removeprefix("HANDLE_") for name, number in vars(consts).items()
            if name.startswith("HANDLE_")}
DIALECT = int(rpyc.__version__.split(".", maxsplit=1)[0])


class Client(RpycClient):
    """Makes some more calls than the client that is measured."""

    def call_back(self, count):
        return self._root.call_back(lambda number: number, count)

    def numbers(self, count):
        received = 0
        for number in self._root.numbers(count):  # Python 3.13's generators would ask for another iterator
            received += number == received
        return received


# By name: how often the call is made, the call, and its result. After an error, Python's garbage
# collector releases the method at any time, so no other call follows.
CONVERSATIONS = {
    "getattr": (2, Client.get_value, True),
    "getattr_missing": (2, Client.lacks_attribute, True),
    "setattr": (2, Client.set_next, True),
    "exception": (1, Client.fails, True),
    "with": (2, Client.enter_and_leave, True),
    "items_3_attribute_each": (1, lambda client: client.attribute_each(3), 3),
    "items_12_buffiter": (1, lambda client: client.buffiter(12), 12),
    "items_3_obtain": (1, lambda client: client.obtain(3), 3),
    "items_3_by_value": (1, lambda client: client.by_value(3), 3),
    "call_back_3": (2, lambda client: client.call_back(3), 3),
    "numbers_3": (1, lambda client: client.numbers(3), 3),
}


def unpacked(payload):
    """Returns type, number and body of a message."""
    if DIALECT == 5:
        return brine.load(payload)
    return payload[0], *brine.load(payload[1:])


def packed(message, sequence, body):
    if DIALECT == 5:
        return brine.dump((message, sequence, body))
    return bytes([message]) + brine.dump((sequence, body))


def without_paths(traceback):
    """Shortens the paths in the text of a traceback, so that they say nothing of the machine."""
    return re.sub(r'File "[^"]*?((?:rpyc/[^"]*)?[^"/]*)"', r'File "\1"', traceback)


class Frame:
    """One frame: its bytes, and what they say."""

    def __init__(self, direction, data):
        _, compressed = HEAD.unpack_from(data)
        payload = data[HEAD.size:-1]
        self.direction, self.data, self.compressed = direction, data, bool(compressed)
        self.message, self.sequence, self.body = unpacked(zlib.decompress(payload) if compressed else payload)

    @property
    def handler(self):
        """Returns the name of a request's handler, or None for an answer."""
        return HANDLERS[self.body[0]] if self.message == consts.MSG_REQUEST else None

    def shortened(self):
        """Returns the bytes with shortened paths."""
        if self.message != consts.MSG_EXCEPTION or not isinstance(self.body, tuple):
            return self.data
        *description, traceback = self.body
        payload = packed(self.message, self.sequence, (*description, without_paths(traceback)))
        if self.compressed:
            payload = zlib.compress(payload, 1)
        return HEAD.pack(len(payload), self.compressed) + payload + b"\n"

    def record(self):
        record = {"dir": self.direction, "hex": self.shortened().hex(), "msg": MESSAGES[self.message],
                  "seq": self.sequence}
        if self.handler:
            record["handler"] = self.handler
        return {**record, "compressed": self.compressed}


class Stream:
    """One end of the relay, whose bytes become frames."""

    def __init__(self, direction, connection):
        self.direction, self.connection = direction, connection
        self._bytes = b""
        self.waiting = []  # frames that are not forwarded yet
        self.unanswered = set()  # the numbers of releases sent in this direction

    def receive(self):
        """Appends the frames that have arrived. Returns whether the stream continues."""
        data = self.connection.recv(1 << 16)
        self._bytes += data
        while len(self._bytes) >= HEAD.size:
            end = HEAD.size + HEAD.unpack_from(self._bytes)[0] + 1
            if len(self._bytes) < end:
                break
            self.waiting.append(Frame(self.direction, self._bytes[:end]))
            self._bytes = self._bytes[end:]
        return bool(data)


class Relay:
    """Stands between a client and the server for one connection, and collects their frames.

    Nobody waits for the answer to a release, so it may cross what follows. The relay holds the next
    request of that direction back until the answer has passed. So every run has the same order.
    """

    def __init__(self, server):
        self.frames = []
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self):
        self._thread.join(PATIENCE)

    def _run(self):
        client, _ = self._listener.accept()
        with self._listener, client, self._server.connect() as server:
            ends = [Stream("c2s", client), Stream("s2c", server)]
            while all(self._read(ends)):
                while any([self._forward(*ends), self._forward(*reversed(ends))]):
                    pass

    def _read(self, ends):
        ready, _, _ = select.select([end.connection for end in ends], [], [])
        return [end.receive() for end in ends if end.connection in ready]

    def _forward(self, source, target):
        """Forwards a frame, unless there is none or it has to wait. Returns whether it did."""
        if not source.waiting or source.unanswered and source.waiting[0].handler:
            return False
        frame = source.waiting.pop(0)
        if frame.handler == "DEL":
            source.unanswered.add(frame.sequence)
        elif frame.handler is None:
            target.unanswered.discard(frame.sequence)
        self.frames.append(frame)
        target.connection.sendall(frame.data)
        return True


def record(server, name):
    """Returns the entry of a conversation. Raises RuntimeError if a call has another result than expected."""
    times, call, expected = CONVERSATIONS[name]
    relay = Relay(server)
    with contextlib.closing(Client(relay.port)) as client:
        client.open()
        for _ in range(times):
            time.sleep(PAUSE)
            if (result := call(client)) != expected:
                raise RuntimeError(f"{name}: {result} instead of {expected}")
        time.sleep(PAUSE)
    relay.join()
    return {"name": name, "frames": [frame.record() for frame in relay.frames]}


def text_of(entry):
    """Returns an entry as the file has it: a line for each frame."""
    def compact(value):
        return json.dumps(value, separators=(",", ":"))

    frames = ",\n".join(map(compact, entry["frames"]))
    return f'{{"name":{compact(entry["name"])},"frames":[\n{frames}]}}'


def appended(text, entries):
    """Returns the file's text with further conversations of the own dialect."""
    end = text.index("]}]}", text.index(f'"{DIALECT}": {{"rpyc_version"')) + len("]}")
    return text[:end] + "".join(",\n" + text_of(entry) for entry in entries) + text[end:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=pathlib.Path, help="the file, testdata/vectors.json")
    parser.add_argument("conversation", nargs="*", help="all by default")
    flags = parser.parse_args()
    text = flags.recording.read_text(encoding="utf-8")
    recorded = json.loads(text)["dialects"][str(DIALECT)]
    if recorded["rpyc_version"] != rpyc.__version__:
        sys.exit(f"record: the file has rpyc {recorded['rpyc_version']}, but {rpyc.__version__} is installed")
    present = {conversation["name"] for conversation in recorded["conversations"]}
    if unknown := set(flags.conversation) - set(CONVERSATIONS):
        sys.exit(f"record: unknown: {', '.join(sorted(unknown))}")
    missing = [name for name in flags.conversation or CONVERSATIONS if name not in present]
    with Server([sys.executable, REFERENCE / "rpyc_server.py", "--model=threaded"]) as server:
        entries = [record(server, name) for name in missing]
    flags.recording.write_text(appended(text, entries), encoding="utf-8")
    print(f"rpyc {rpyc.__version__}: recorded {', '.join(missing) or 'nothing'}")


if __name__ == "__main__":
    main()
