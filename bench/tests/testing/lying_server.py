"""Serves the floor's protocol (servers/tcp/wire.h) under the process contract, and lies; for tests.

From request number --lie_from on (1 is the first) it answers as --lie says: `content` changes one
byte or adds one to the number, `size` omits the last byte. Payloads are zero bytes. Each connection
has a thread, and requests are counted over all of them. Unknown flags are ignored.
"""

import argparse
import itertools
import json
import os
import select
import socket
import struct
import sys
import threading

HEADER = struct.Struct("<B3xIQ")  # operation or status, chunk size, number
PING, ECHO, UPLOAD, DOWNLOAD, COMPUTE = range(1, 6)
CRASH = 11


def receive(connection, size):
    """Returns exactly `size` bytes; fewer at the end of the stream."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


def honest(operation, number, data):
    """Returns number and data of the correct answer."""
    if operation == CRASH:
        os.abort()
    if operation == COMPUTE:
        return (number - 1) * number * (2 * number - 1) // 6, b""
    answer = {PING: b"pong", ECHO: data, UPLOAD: b"", DOWNLOAD: bytes(number)}[operation]
    return (number if operation == UPLOAD else len(answer)), answer


def lie(kind, number, data):
    """Returns an answer that is well formed and wrong."""
    if not data:
        return (number + 1 if kind == "content" else number - 1), data
    if kind == "content":
        return number, data[:-1] + bytes([data[-1] ^ 1])
    return number - 1, data[:-1]


def serve(connection, requests, flags):
    """Answers until the client closes; `requests` counts the requests."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while header := receive(connection, HEADER.size):
            operation, _, number = HEADER.unpack(header)
            data = receive(connection, number) if operation in (ECHO, UPLOAD) else b""
            number, answer = honest(operation, number, data)
            if next(requests) >= flags.lie_from:
                number, answer = lie(flags.lie, number, answer)
            connection.sendall(HEADER.pack(0, 0, number) + answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lie", choices=("content", "size"), required=True)
    parser.add_argument("--lie_from", type=int, required=True)
    parser.add_argument("--nonce", required=True)
    flags, _ = parser.parse_known_args()
    requests = itertools.count(1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(json.dumps({"port": listener.getsockname()[1], "pid": os.getpid(),
                          "nonce": flags.nonce}), flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, requests, flags), daemon=True).start()


if __name__ == "__main__":
    main()
