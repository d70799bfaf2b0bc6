"""The server's side of the process contract, which the Python originals share: the flags of every
server, the line in which it announces itself, and its end with stdin or with SIGTERM.
"""

import argparse
import json
import os
import re
import signal
import sys
import threading

from payload import KINDS


def parse_flags(program, description, models):
    """The command line; a bad one ends the process with 2."""
    parser = argparse.ArgumentParser(prog=program, description=description, allow_abbrev=False)
    parser.add_argument("--model", required=True, choices=models)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind")
    parser.add_argument("--port", type=int, default=0, help="port to bind, 0 for a free one")
    parser.add_argument("--nonce", default="", help="text repeated in the announcement")
    parser.add_argument("--payload", choices=KINDS,
                        help="content of downloads; without it the letter x, zeros for files")
    parser.add_argument("--allow_crash", action="store_true",
                        help="offer the operation crash, which ends the process of its session")
    flags = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9-]*", flags.nonce):
        parser.error("--nonce: only letters, digits and '-' are allowed")
    if not 0 <= flags.port <= 65535:
        parser.error("--port: must lie between 0 and 65535")
    return flags


def announce(port, nonce):
    """Tells the parent the port. To be called once the server listens."""
    print(json.dumps({"port": port, "pid": os.getpid(), "nonce": nonce}, separators=(",", ":")),
          flush=True)


def leave(*_):
    """Ends the process without waiting for the threads of sessions."""
    os._exit(0)


def end_with_signals():
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def end_with_stdin():
    """From now on the process ends when stdin does. Starts a thread: not for servers that fork."""

    def wait_for_the_end():
        while os.read(sys.stdin.fileno(), 4096):
            pass
        leave()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
