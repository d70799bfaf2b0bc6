"""Implements the server's side of the process contract, which the Python originals share.

It has the flags of every server, the line in which a server announces itself, and its end with
stdin or SIGTERM.
"""

import argparse
import json
import os
import re
import select
import signal
import socket
import ssl
import stat
import sys
import threading

from payload import KINDS

PATHS = []  # of Unix-domain listeners, each with the process that removes it at its end


def parse_flags(program, description, models):
    """Parses the command line; exits with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(prog=program, description=description, allow_abbrev=False)
    parser.add_argument("--model", required=True, choices=models)
    parser.add_argument("--host", default="127.0.0.1",
                        help="address to bind: a name, an IPv4 or IPv6 address, unix:/<path>, "
                             "unix:<abstract name>, or unix: for a free abstract name")
    parser.add_argument("--port", type=int, default=0, help="port to bind, 0 for a free one")
    parser.add_argument("--nonce", default="", help="text repeated in the announcement")
    parser.add_argument("--payload", choices=KINDS,
                        help="content of downloads (default: the letter x, zeros for files)")
    parser.add_argument("--allow_crash", action="store_true",
                        help="offer the operation crash, which ends its session's process")
    parser.add_argument("--tls_certificate", help="serve by TLS alone, with the certificate in this file")
    parser.add_argument("--tls_key", help="file of its private key")
    parser.add_argument("--tls_authority",
                        help="demand certificates of clients, signed by the authority in this file")
    parser.add_argument("--tls_version", choices=("1.2", "1.3"), default="1.3",
                        help="the only version of TLS to speak")
    flags = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9-]*", flags.nonce):
        parser.error("--nonce: only letters, digits and '-' are allowed")
    if bool(flags.tls_certificate) != bool(flags.tls_key) or flags.tls_authority and not flags.tls_key:
        parser.error("TLS needs --tls_certificate and --tls_key")
    if not 0 <= flags.port <= 65535:
        parser.error("--port: must lie between 0 and 65535")
    return flags


def unix_address(host):
    """Returns the Unix-domain address that `host` stands for, or None for any other host.

    Removes a path on which no server listens any more.
    """
    if not host.startswith("unix:"):
        return None
    name = host[len("unix:"):]
    if not name.startswith("/"):
        return "\0" + name if name else ""
    if not (os.path.exists(name) and stat.S_ISSOCK(os.stat(name).st_mode)):
        return name  # binding it will say what is wrong, if something is
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            os.unlink(name)
        except OSError:
            pass  # a server is there, or binding it will say what is wrong
    return name


def tls_context(flags):
    """Returns the context of a server that speaks TLS, or None. Exits if a file cannot be used."""
    if not flags.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    only = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[flags.tls_version]
    context.minimum_version = context.maximum_version = only
    try:
        context.load_cert_chain(flags.tls_certificate, flags.tls_key)
        if flags.tls_authority:
            context.load_verify_locations(flags.tls_authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        sys.exit(f"read the files of TLS: {error}")
    return context


def end_without_stdin():
    """Ends the process, and says so, if stdin is at its end already, as in scripts behind "&"."""
    ready = select.poll()
    ready.register(sys.stdin.fileno(), select.POLLIN)
    if ready.poll(0) and not os.read(sys.stdin.fileno(), 4096):
        print(f"{os.path.basename(sys.argv[0]).removesuffix('.py')}: stdin is at its end, which ends "
              "this server", file=sys.stderr, flush=True)
        leave()


def announce(listener, nonce):
    """Announces where `listener`, a socket that listens already, can be reached."""
    address = listener.getsockname()
    line = {"port": 0, "pid": os.getpid(), "nonce": nonce}
    if listener.family == socket.AF_UNIX:
        name = os.fsdecode(address)
        line["host"] = "unix:" + name.removeprefix("\0")
        if name.startswith("/"):
            PATHS.append((os.getpid(), name))
    else:
        line["host"], line["port"] = address[:2]
    print(json.dumps(line, separators=(",", ":")), flush=True)


def leave(*_):
    """Ends the process without waiting for the threads of sessions."""
    for owner, path in PATHS:
        if owner == os.getpid() and os.path.exists(path):
            os.unlink(path)
    os._exit(0)


def end_with_signals():
    """Makes SIGTERM and SIGINT end the process."""
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def end_with_stdin():
    """Makes the process end when stdin does. Starts a thread; servers that fork cannot use it."""
    end_without_stdin()

    def wait_for_the_end():
        while os.read(sys.stdin.fileno(), 4096):
            pass
        leave()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
