"""What a test runs on a host of a link: `link_host.py <what> [argument…]`, see the functions below.

Those for the client's host print what they measured as JSON.
"""

import json
import os
import select
import socket
import sys
import time

PORT = 4000
GREETING = b"hello from a host of the link"


def there():
    """Returns where the server listens."""
    return os.environ["LINK_SERVER"], PORT


def say(measured):
    print(json.dumps(measured), flush=True)


# On the server's host.

def listen():
    """Greets each client."""
    with socket.create_server(there()) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(GREETING)


def sink():
    """Receives all that a client sends, and tells it the bytes and seconds of the second half."""
    with socket.create_server(there()) as listener, listener.accept()[0] as connection:
        buffer = bytearray(1 << 16)
        received = 0
        marks = []  # when so much had arrived
        while count := connection.recv_into(buffer):
            received += count
            marks.append((time.monotonic(), received))
        begin, before = next(mark for mark in marks if mark[1] >= received / 2)
        connection.sendall(json.dumps({"bytes": received - before,
                                       "seconds": marks[-1][0] - begin}).encode())


def count():
    """Receives datagrams until a client connects, and tells it their numbers and delays in µs."""
    with (socket.socket(type=socket.SOCK_DGRAM) as datagrams,
          socket.create_server(there()) as listener):
        datagrams.bind(there())
        datagrams.setblocking(False)
        arrived = []
        while True:
            ready, _, _ = select.select([datagrams, listener], [], [])
            if datagrams in ready:
                number, sent = map(int, datagrams.recv(1500).split())
                arrived.append((number, (time.monotonic_ns() - sent) / 1000))
            elif listener in ready:  # the link keeps the order, so nothing else is on its way
                with listener.accept()[0] as connection:
                    connection.sendall(json.dumps(arrived).encode())
                return


# On the client's host.

def connect(times):
    """Says how many µs each of so many connections took across the link, and within the host.

    It asks again and again, and never sleeps.
    """
    def time_of(address):
        with socket.socket() as client:
            client.setblocking(False)
            poll = select.poll()
            poll.register(client, select.POLLOUT)
            begin = time.perf_counter_ns()
            client.connect_ex(address)
            while not poll.poll(0):
                pass
            spent = time.perf_counter_ns() - begin
            client.getpeername()  # fails if it is not connected
            return spent / 1000
    with socket.create_server(("127.0.0.1", 0)) as listener:
        say([[time_of(address) for _ in range(int(times))]
             for address in (there(), listener.getsockname())])


def send(seconds):
    """Sends to a sink for so long, and says what it tells."""
    with socket.socket() as client:
        # Others (BBR) leave a part of the rate unused on purpose.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        client.connect(there())
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            client.sendall(bytes(1 << 16))
        client.shutdown(socket.SHUT_WR)
        print(client.makefile(encoding="ascii").read(), flush=True)


def datagrams(number, spacing_us):
    """Sends so many datagrams, with a pause after each, and says what `count` tells."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.connect(there())
        for i in range(int(number)):
            sender.send(f"{i} {time.monotonic_ns()}".encode())
            time.sleep(int(spacing_us) / 1e6)
    with socket.create_connection(there()) as client:
        print(client.makefile(encoding="ascii").read(), flush=True)


def reach(*addresses):
    """Says which error a connection to each address (host:port) ends with; None if it succeeds."""
    def error_of(address):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            return type(error).__name__ if error.errno is None else os.strerror(error.errno)
        return None
    say([error_of(address) for address in addresses])


if __name__ == "__main__":
    {function.__name__: function for function in (
        listen, sink, count, connect, send, datagrams, reach)}[sys.argv[1]](*sys.argv[2:])
