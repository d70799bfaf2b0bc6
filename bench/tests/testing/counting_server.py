"""Answers pings of the bare loop and of the floor's protocol under the process contract, and counts them; for tests.

When a client closes its connection, the server appends the connection's number of pings as a line to
the file --counts, and only then closes as well. Unknown flags are ignored.
"""

import argparse
import json
import os
import select
import socket
import struct
import sys
import threading

REQUEST_BYTES = 16
ANSWER = struct.pack("<B3xIQ", 0, 0, 4) + b"pong"


def serve(connection, counts):
    count = 0
    with connection:
        while connection.recv(REQUEST_BYTES, socket.MSG_WAITALL):
            count += 1
            connection.sendall(ANSWER)
        with open(counts, "a", encoding="ascii") as file:
            file.write(f"{count}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", required=True)
    parser.add_argument("--nonce", required=True)
    flags, _ = parser.parse_known_args()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(json.dumps({"port": listener.getsockname()[1], "pid": os.getpid(),
                          "nonce": flags.nonce}), flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, flags.counts), daemon=True).start()


if __name__ == "__main__":
    main()
