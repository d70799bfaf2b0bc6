"""Makes one exchange in each protocol with raw bytes, and checks the answer.

Tests use it to see what a server does on the wire, without a library that would repair or hide it.
"""

import struct

TCP_HEADER = struct.Struct("<B3xIQ")  # operation or status, chunk size, number
RPYC_HEADER = struct.Struct(">IB")  # length, compressed

GETROOT = {5: bytes.fromhex("1251501153115102"),
           6: bytes.fromhex("0111501153115102")}


def receive(connection, size):
    """Returns exactly `size` bytes. Raises EOFError if the stream ends before."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError(f"the stream ended after {len(data)} of {size} bytes")
        data += piece
    return bytes(data)


def swallow(connection):
    """Reads until the server has ended the connection; returns what arrived."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def tcp_call(connection, operation, number=0, data=b"", chunk=0):
    """Sends a request of the floor; returns (status, number) of the answer's header."""
    connection.sendall(TCP_HEADER.pack(operation, chunk, number) + data)
    status, _, number = TCP_HEADER.unpack(receive(connection, TCP_HEADER.size))
    return status, number


def tcp_ping(connection):
    status, size = tcp_call(connection, 1)
    assert (status, size) == (0, 4), (status, size)
    assert receive(connection, 4) == b"pong"


def rpyc_frame(payload, compressed=0):
    return RPYC_HEADER.pack(len(payload), compressed) + payload + b"\n"


def rpyc_ping(connection, dialect=5):
    """Asks for the root, which a connection may do any number of times."""
    connection.sendall(rpyc_frame(GETROOT[dialect]))
    size, _ = RPYC_HEADER.unpack(receive(connection, RPYC_HEADER.size))
    answer = receive(connection, size + 1)
    assert answer.startswith(b"\x12\x52" if dialect == 5 else b"\x02\x11"), answer
    assert b"BenchmarkService" in answer, answer


def http_ping(connection):
    connection.sendall(b"GET /ping HTTP/1.1\r\nHost: test\r\n\r\n")
    answer = b""
    while b'{"response":"pong"}' not in answer:
        piece = connection.recv(4096)
        if not piece:
            raise EOFError(f"the stream ended after {answer!r}")
        answer += piece
    assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")), answer


PINGS = {"tcp": tcp_ping, "rpyc": rpyc_ping, "http": http_ping}
