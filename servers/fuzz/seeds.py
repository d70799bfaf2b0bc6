#!/usr/bin/python3
"""Writes the seed corpus of every fuzz target into a folder: seeds.py recording.json folder

RPyC's seeds are cut out of the recorded conversations that the tests also use. A new recording thus
becomes seeds by itself, and nothing is kept twice. Calls that depend on the native server's object
numbers, and the seeds of HTTP, TLS and zlib, are written here. Former findings of fuzzers are in
testdata/regressions next to each target.
"""

import datetime
import hashlib
import itertools
import json
import pathlib
import pickle
import shutil
import struct
import sys
import types
import zlib

LARGEST = 16 * 1024  # bytes; mutating larger inputs teaches a fuzzer little


def frame(payload, compress=False):
    """Returns a frame of RPyC with this payload."""
    body = zlib.compress(payload, 1) if compress else payload
    return struct.pack(">LB", len(body), compress) + body + b"\n"


def brine(value):
    """Returns the canonical bytes of a value that requests consist of."""
    if value is None:
        return b"\x00"
    if isinstance(value, int) and -48 <= value < 160:
        return bytes([value + 0x50])
    if isinstance(value, int):
        return b"\x16" + bytes([len(str(value))]) + str(value).encode()
    if isinstance(value, str):
        return b"\x08" + brine(value.encode())
    if isinstance(value, bytes):
        if not value:
            return b"\x01"
        head = bytes([9 + len(value)]) if len(value) <= 4 else b"\x0f" + struct.pack(">L", len(value))
        return head + value
    head = bytes([0x0F + len(value)]) if 1 <= len(value) <= 4 else b"\x14" + bytes([len(value)])
    return (head if value else b"\x02") + b"".join(map(brine, value))


class Client:
    """Makes the frames of a client that speaks one dialect and numbers its requests."""

    ROOT = (3, ("rpycbench.BenchmarkService", 1, 1))

    def __init__(self, dialect):
        self.dialect = dialect
        self.sequence = itertools.count()

    def message(self, kind, sequence, body):
        """Returns a message in a frame; `kind` is the number of its type."""
        if self.dialect == 5:
            return frame(brine((kind, sequence, body)))
        return frame(bytes([kind]) + brine((sequence, body)))

    def request(self, handler, *boxed):
        """Returns a request for a handler, with boxed arguments."""
        return self.message(1, next(self.sequence), (handler, (2, boxed)))

    def call(self, name, *arguments):
        """Returns a call of a method of the root object, with boxed arguments."""
        return self.request(8, self.ROOT, (1, name), (2, arguments), (1, ()))


def native_conversations(dialect):
    """Returns streams of a client's messages that use the native server's operations and references."""
    client = Client(dialect)
    root = client.request(3)
    made = {"method": (3, ("builtins.method", 1, 2)), "list": (3, ("builtins.list", 1, 2)),
            "item": (3, ("operations.Item", 1, 3)), "block": (3, ("operations.Block", 1, 2)),
            "numbers": (3, ("builtins.generator", 1, 2))}
    calls = [
        [client.call(name) for name in ("ping", "exposed_ping", "missing", "_private")],
        [client.call("echo", (1, (b"bytes", "text", 7, None)))],
        [client.call(name, (1, b"x" * 300)) for name in ("upload", "upload_file")],
        [client.call(name, (1, 4000)) for name in ("download", "download_file", "compute")],
        [client.call("upload_file_chunked", (1, (b"one", b"two")))],
        [client.call("upload_file_chunked", (4, ("builtins.list", 7, 8)))]
        + [client.message(2, 0, (4, ("builtins.list_iterator", 7, 9)))]
        + [client.message(2, 1, (1, b"one")), client.message(3, 2, 1)],
        [client.request(4, client.ROOT, (1, "ping")), client.request(7, made["method"], (1, ()))]
        + [client.request(15, made["method"], (1, 1))],
        [client.request(4, client.ROOT, (1, name)) for name in
         ("ping", "echo", "upload", "download", "compute", "sleep", "upload_file",
          "download_file", "upload_file_chunked", "download_file_chunked")],
        [client.call("download_file_chunked", (1, 400), (1, 100))]
        + [client.request(17, made["list"], (1, 10))]
        + [client.request(8, made["list"], (1, "__getitem__"), (1, (2,)), (1, ()))]
        + [client.request(handler, made["list"]) for handler in (9, 10, 12, 13, 14, 15)],
        [client.request(16, (1, client.ROOT[1])), client.request(1, (1, "data"))]
        + [client.request(11, client.ROOT, client.ROOT, (1, "__eq__")), client.request(2)],
        [client.request(4, client.ROOT, (1, name)) for name in ("value", "setting", "missing")]
        + [client.request(6, client.ROOT, (1, "setting"), (1, value)) for value in (7, "seven")],
        [client.call("fail"), client.call("items_by_value", (1, 3))],
        [client.call("items", (1, 3)), client.request(17, made["list"], (1, 2))]
        + [client.request(4, made["item"], (1, name)) for name in ("number", "name", "weight")]
        + [client.request(handler, made["item"]) for handler in (9, 12)]
        + [client.request(11, made["item"], made["item"], (1, "__eq__"))]
        + [client.request(14, made["list"], (1, protocol)) for protocol in (0, 2, 4, -1, 6)]
        + [client.request(14, made["item"], (1, 4))],
        [client.call("call_back", (4, ("builtins.function", 7, 8)), (1, 2))]
        + [client.message(2, number, (1, number)) for number in range(2)],
        [client.call("numbers", (1, 2))]
        + [client.request(8, made["numbers"], (1, "__next__"), (1, ()))] * 3
        + [client.request(17, made["numbers"], (1, 10))],
        [client.call("block"), client.request(8, made["block"], (1, "__enter__"), (1, ()))]
        + [client.request(19, made["block"], (1, None))]
        + [client.request(8, made["block"], (1, "log"), (1, ()))],
    ]
    # The conversations share one numbering, because a server accepts any.
    return [root + b"".join(group) for group in calls]


def rpyc_seeds(recording):
    """Returns {target: inputs} of RPyC's layers, from the recorded conversations."""
    seeds = {name: [] for name in ("brine_fuzz", "envelope_fuzz", "vinegar_fuzz", "frame_fuzz",
                                   "inflate_fuzz", "connection_fuzz", "pickle_fuzz")}
    for record in recording["brine_values"] + recording["brine_noncanonical_accept"]:
        seeds["brine_fuzz"].append(bytes.fromhex(record["hex"]))
    of_layer = {"brine": "brine_fuzz", "message": "envelope_fuzz", "frame": "frame_fuzz"}
    for record in recording["malformed"]:
        seeds[of_layer[record["layer"]]].append(bytes.fromhex(record["hex"]))
    # These are just above the targets' limits.
    seeds["brine_fuzz"] += [brine((None,) * 120), brine(((None,) * 40,) * 4)]
    seeds["frame_fuzz"] += [frame(b"x" * 5000, compress) for compress in (False, True)]
    for dialect, recorded in recording["dialects"].items():
        for conversation in recorded["conversations"]:
            add_conversation(seeds, int(dialect), conversation["frames"])
        for stream in native_conversations(int(dialect)):
            seeds["connection_fuzz"].append(stream)
    return seeds


def pickles_in(payload):
    """Returns the pickle in an answer, if there is one."""
    at = payload.find(b"\x80\x04\x95")
    return [] if at < 0 or not payload.endswith(b".") else [payload[at:]]


def pickle_seeds():
    """Returns pickles of objects and of what the reader refuses, by each protocol."""
    # A SimpleNamespace is made without arguments and then given its attributes; a timedelta is made
    # by arguments.
    items = [types.SimpleNamespace(number=number, name=f"item {number}", weight=number + 0.5)
             for number in (0, 1, 255, 256, 65_536, -1, 1 << 40)]
    lists = [[], items[:1], items, items * 2, [1, "a", 0.5], [[]], [items[0], [items[0]]],
             [datetime.timedelta(1)], {"a": items}, [None], [items[0].name] * 2]
    return [pickle.dumps(each, protocol) for each in lists for protocol in range(6)]


def add_conversation(seeds, dialect, frames):
    """Adds the frames of a conversation to the seeds of the layers that read them."""
    sides = {"c2s": b"", "s2c": b""}
    for record in frames:
        sent = bytes.fromhex(record["hex"])
        sides[record["dir"]] += sent
        payload = sent[5:-1]
        if record["compressed"]:
            seeds["inflate_fuzz"].append(payload)
            payload = zlib.decompress(payload)
        seeds["envelope_fuzz"].append(payload)
        seeds["pickle_fuzz"] += pickles_in(payload)
        if record["msg"] == "EXCEPTION":
            seeds["vinegar_fuzz"].append(exception_body(payload, dialect))
    for stream in sides.values():
        seeds["frame_fuzz"].append(stream)
        seeds["connection_fuzz"].append(stream)


def exception_body(payload, dialect):
    """Returns what follows the envelope's head: tuple tag and type (5: both), then the number."""
    at = 2
    number = 2 + payload[at + 1] if payload[at] == 0x16 else 1
    return payload[at + number:]


def inflate_seeds():
    """Returns zlib streams: complete, flushed, with trailing bytes, and one that is no stream."""
    text = b"".join(b"%d bottles " % n for n in range(400))
    noise = hashlib.shake_128(b"seed").digest(3500)
    streams = [zlib.compress(data, level) for data in (b"", b"a", text, noise, bytes(70_000))
               for level in (0, 1, 9)]
    fixed = zlib.compressobj(9, zlib.DEFLATED, 9, 9, zlib.Z_FIXED)
    flushed = zlib.compressobj(6, zlib.DEFLATED, 10)
    return streams + [
        fixed.compress(text) + fixed.flush(),
        flushed.compress(text[:99]) + flushed.flush(zlib.Z_FULL_FLUSH) + flushed.flush(),
        streams[6] + b"behind",
        text,
    ]


def http_seeds():
    """Returns {target: inputs} of HTTP's layers."""
    documents = [b'{"chunks":[]}', b'{"chunks":["00ff","AB"]}', b'{"chunks":["",""]}',
                 b' { "chunks" :\t[ "61" ,\r\n "62" ] } ', b'{"chunks":["0"]}', b'{"chunk":[]}',
                 b'{"chunks":["' + b"7f" * 300 + b'","' + b"80" * 300 + b'"]}',
                 b'{"chunks":[' + b'"61",' * 30 + b'"62"]}', b'{"chunks":["6\\u0031"]}']

    def request(line, *fields, body=b""):
        return b"\r\n".join([line + b" HTTP/1.1", b"Host: a", *fields, b"", b""]) + body

    def post(path, body):
        return request(b"POST " + path, b"Content-Length: %d" % len(body), body=body)

    def chunked(path, *parts):
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        return request(b"POST " + path, b"Transfer-Encoding: chunked", body=body)

    gets = [request(b"GET /" + path) for path in
            (b"ping", b"download/4000", b"download/-1", b"download-file/10", b"compute/1000",
             b"download-file-chunked/400/100", b"sleep/0", b"sleep/nan", b"nowhere", b"ping?a=b")]
    requests = gets + [
        b"".join(gets), request(b"HEAD /download/100"), request(b"DELETE /ping"),
        post(b"/echo", b"hello") + post(b"/upload", b"x" * 500), post(b"/upload-file", b""),
        chunked(b"/echo", b"hello", b" ", b"world") + request(b"GET /ping"),
        chunked(b"/upload-file-chunked", documents[1][:9], documents[1][9:]),
        request(b"POST /echo", b"Expect: 100-continue", b"Content-Length: 2", body=b"ok"),
        request(b"GET /ping", b"Connection: close"), b"GET /ping HTTP/1.0\r\n\r\n",
        request(b"GET http://a/ping", b"X: " + b"y" * 7900), request(b"GET /" + b"z" * 8200),
        request(b"POST /echo", b"Content-Length: 99999999999"), request(b"POST /echo"),
        request(b"POST /echo", b"Transfer-Encoding: gzip, chunked"), b"\r\n\r\n" + gets[0],
    ] + [post(b"/upload-file-chunked", document) for document in documents]
    responses = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n",
    ]
    return {"chunk_json_fuzz": documents, "http_session_fuzz": requests,
            "receiver_fuzz": requests + responses}


def tls_seeds():
    """Returns conversations over TLS with changed records, as tls_fuzz.cc describes them."""
    alter, cut, lose, repeat, delay, insert, replay, reflect, replace_rest = range(9)
    to_server, to_client = 0, 0x80
    modes = range(8)  # of version, client certificates and resumption

    def change(mode, kind, direction, record, at=0, foreign=b""):
        return struct.pack(">BBBHB", mode, kind | direction, record, at, len(foreign) % 256) + foreign

    seeds = [bytes([mode]) for mode in modes]
    for mode, direction, record in itertools.product(modes, (to_server, to_client), range(9)):
        kind = (mode + record) % 9  # each kind at each record in one mode or another
        seeds.append(change(mode, kind, direction, record, at=7 * mode, foreign=b"\x01"))
    records = [b"\x15\x03\x03\x00\x02\x01\x00", b"\x15\x03\x03\x00\x02\x02\x28",  # alerts
               b"\x14\x03\x03\x00\x01\x01", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00",
               b"\x17\x03\x03\x00\x00", b"\x17\x03\x03\xff\xff", b"\x16\x03\x01\x48\x01",
               b"GET / HTTP/1.1\r\n\r\n"]
    for foreign, direction, record, kind in itertools.product(
            records, (to_server, to_client), (0, 3, 5), (insert, replace_rest)):
        seeds.append(change(record % 2, kind, direction, record, foreign=foreign))
    return seeds + [change(0, kind, to_server, 3) + change(0, other, to_client, 4)[1:]
                    for kind in (alter, lose, repeat, delay, replay) for other in (cut, reflect)]


def write(folder, inputs):
    """Writes each input into a file of the new folder, without those above LARGEST."""
    folder.mkdir(parents=True)
    for data in inputs:
        if len(data) <= LARGEST:
            # The name is a digest of the content, so that equal seeds are one file.
            (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def main():
    recording, folder = map(pathlib.Path, sys.argv[1:])
    sys.setrecursionlimit(10_000)  # the recording nests values as deeply as Python can send them
    seeds = rpyc_seeds(json.loads(recording.read_text(encoding="utf-8")))
    seeds["inflate_fuzz"] += inflate_seeds()
    seeds["pickle_fuzz"] += pickle_seeds()
    seeds |= http_seeds()
    seeds["tls_fuzz"] = tls_seeds()
    shutil.rmtree(folder, ignore_errors=True)
    for target, inputs in seeds.items():
        write(folder / target, inputs)


if __name__ == "__main__":
    main()
