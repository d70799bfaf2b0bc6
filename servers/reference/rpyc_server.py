"""Serves the benchmark operations with the real RPyC library, under the contract of every server here.

A model is one of the library's server classes, unchanged except for its end: the children of the
forking server end with it. Only `oneshot` continues after a connection. OneShotServer ends with its
first connection, which may only ask whether it is ready. This one serves one connection after another,
each in the accepting thread; other clients wait in the listener's queue. Runs under Python 3.9 or newer
with rpyc 5 or 6, on Linux.
"""

import ctypes
import operator
import os
import select
import signal
import ssl
import sys

try:
    import rpyc
    from rpyc.utils.authenticators import SSLAuthenticator
    from rpyc.utils.helpers import classpartial
    from rpyc.utils.server import (ForkingServer, OneShotServer, ThreadedServer,
                                   ThreadPoolServer)
except ImportError as error:
    sys.exit(f"rpyc_server: {error}: install the package python3-rpyc")

from operations import VALUE, Operations, crash, payloads_of
from serving import (announce, end_with_signals, end_with_stdin, end_without_stdin, leave, parse_flags,
                     tls_context, unix_address)

# bind_threads is off, because both ends must agree and its default is an environment variable (RPYC_BIND_THREADS).
CONFIG = {"allow_public_attrs": True, "allow_pickle": True, "sync_request_timeout": 30,
          "bind_threads": False}
PR_SET_PDEATHSIG = 1


class BenchmarkService(Operations, rpyc.Service):
    """Exposes the operations as methods of the root object, and two attributes.

    Each connection has a root of its own, so `setting` belongs to the connection.
    """

    exposed_value = VALUE
    exposed_setting = 0

    exposed_ping = Operations.ping
    exposed_echo = Operations.echo
    exposed_upload = Operations.upload
    exposed_download = Operations.download
    exposed_compute = Operations.compute
    exposed_sleep = Operations.sleep
    exposed_fail = Operations.fail
    exposed_items = Operations.items
    exposed_items_by_value = Operations.items_by_value
    exposed_call_back = Operations.call_back
    exposed_numbers = Operations.numbers
    exposed_block = Operations.block
    exposed_upload_file = Operations.upload_file
    exposed_download_file = Operations.download_file
    exposed_upload_file_chunked = Operations.upload_file_chunked
    exposed_download_file_chunked = Operations.download_file_chunked

    def _rpyc_setattr(self, name, value):
        """Sets `setting`, and refuses all else in the words of the library."""
        if name.removeprefix("exposed_") != "setting":
            raise AttributeError("access denied")
        self.exposed_setting = operator.index(value)


class Forking(ForkingServer):
    """Waits for a connection and for the end of stdin in one thread, because it must not have a second."""

    def accept(self):
        ready = select.poll()
        ready.register(self.listener, select.POLLIN)
        ready.register(sys.stdin.fileno(), select.POLLIN)
        while True:
            found = [descriptor for descriptor, _ in ready.poll()]
            if sys.stdin.fileno() in found and not os.read(sys.stdin.fileno(), 4096):
                leave()
            if self.listener.fileno() in found:
                return super().accept()


class OneAfterAnother(OneShotServer):
    """Stays open after a connection."""

    def _accept_method(self, sock):
        try:
            super()._accept_method(sock)
        except Exception:  # the library has logged this connection's error
            pass

    def close(self):
        """Keeps the listener, because the library calls this after each connection."""


MODELS = {"threaded": ThreadedServer, "forking": Forking, "threadpool": ThreadPoolServer,
          "oneshot": OneAfterAnother}


def end_children_with_this_process():
    """Makes the kernel kill every later child when this process ends."""
    server = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_child():
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            leave()

    os.register_at_fork(after_in_child=in_child)


def authenticator(flags):
    """Returns the library's own authenticator for TLS, or None. It makes a new context for each connection.

    It has no setting for version 1.3 alone, so it then takes 1.2 from clients that have nothing newer.
    """
    tls_context(flags)  # exits if a file cannot be used, which the library would tell each client instead
    if not flags.tls_certificate:
        return None
    version = ssl.PROTOCOL_TLSv1_2 if flags.tls_version == "1.2" else None
    return SSLAuthenticator(flags.tls_key, flags.tls_certificate, ca_certs=flags.tls_authority,
                            ssl_version=version)


def main():
    flags = parse_flags("rpyc_server", __doc__.splitlines()[0], tuple(MODELS))
    end_with_signals()
    if flags.allow_crash:
        BenchmarkService.exposed_crash = BenchmarkService.crash = crash
    service = classpartial(BenchmarkService, *payloads_of(flags.payload))
    try:
        path = unix_address(flags.host)
        address = ({"hostname": flags.host, "port": flags.port, "ipv6": ":" in flags.host}
                   if path is None else {"socket_path": path})
        server = MODELS[flags.model](service, protocol_config=CONFIG, authenticator=authenticator(flags),
                                     **address)
        server.listener.listen(server.backlog)  # start() would only do it after the announcement
    except OSError as error:
        sys.exit(f"rpyc_server: bind {flags.host}:{flags.port}: {error}")
    if flags.model == "forking":
        end_without_stdin()
        end_children_with_this_process()
    else:
        end_with_stdin()
    announce(server.listener, flags.nonce)
    server.start()
    sys.exit("rpyc_server: can no longer accept connections")


if __name__ == "__main__":
    main()
