"""Parses the command line, with the table that maps a mode's name to its server."""

import argparse
import pathlib
import re
import shlex
import sys

from common import description
from payload import KINDS
from placement import PLACEMENTS
from private_authority import PrivateAuthority

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "servers" / "reference"
NATIVE = re.compile("(rpyc|http)_([a-z]+)")  # bench_server itself knows its models
TLS_VERSIONS = {"tcp": None, "tls": "1.3", "tls_1_2": "1.2"}  # by transport
PYTHON_MODES = {name: (mode["protocol"], mode["script"], mode["model"])
                for name, mode in description.own().modes.items() if mode["python"]}


class Parser(argparse.ArgumentParser):
    """Reports a wrong flag in one line and exits with status 2."""

    def error(self, message):
        self.exit(2, f"python_client: {message}\n")


def count(text):
    """Parses a whole number above zero. Raises ArgumentTypeError."""
    number = int(text)
    if number <= 0:
        raise ValueError
    return number


def counts(text):
    """Parses a list of such numbers, as in 1,10,128. Raises ArgumentTypeError."""
    return [count(word) for word in text.split(",")]


def make_parser():
    """Returns the parser of all flags."""
    parser = Parser(
        prog="python_client", allow_abbrev=False,
        description="Measures a server with a real Python client, rpyc or requests.",
        epilog="bench_server serves the modes rpyc_<model> and http_<model>. In Python there are "
               f"{', '.join(PYTHON_MODES)}, which run in the client's interpreter.")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--mode", help="name of the mode of one of the suite's servers")
    what.add_argument("--server", metavar="COMMAND",
                      help="command of any other server that keeps the process contract and knows "
                           "--payload, and with --transport --tls_certificate, --tls_key and "
                           "--tls_version; its rows are named <protocol>_custom")
    what.add_argument("--protocol", choices=("rpyc", "http"), help="protocol of --server")
    what.add_argument("--bench_server", default="bench_server", help="path of the native server")
    what.add_argument("--filter", default="", help="regular expression for the rows to measure")
    what.add_argument("--list", action="store_true", help="print the names of the rows and exit")
    what.add_argument("--out", help="write the results to this file")
    how = parser.add_argument_group("how")
    how.add_argument("--placement", choices=PLACEMENTS,
                     help="CPUs of both ends (default: shared; free for files and Concurrent)")
    how.add_argument("--payload", choices=KINDS, default="random", help="default: random")
    how.add_argument("--transport", choices=TLS_VERSIONS, default="tcp",
                     help="tls: TLS 1.3 with certificates of this run; tls_1_2 (default: tcp)")
    how.add_argument("--requests", type=count, default=1000, help="calls of a Latency row")
    how.add_argument("--warmup", type=count, default=10, help="calls before the measured ones")
    how.add_argument("--connections", type=count, default=100, help="of the Connection row")
    how.add_argument("--transfers", type=count, default=10, help="transfers of a Bandwidth row")
    how.add_argument("--file_iterations", type=count, default=3, help="of a BinaryTransfer row")
    how.add_argument("--file_bytes", type=counts, default=[1_572_864],
                     help="sizes of files in bytes; 128 MiB of random bytes keep rpyc busy for a "
                          "minute, longer than the 30 seconds that it waits for an answer")
    how.add_argument("--chunk_bytes", type=count, default=65536, help="bytes per chunk of a file")
    how.add_argument("--clients", type=counts, default=[1, 10, 32, 128],
                     help="numbers of clients of Concurrent")
    how.add_argument("--requests_per_client", type=count, default=100,
                     help="calls of each client of Concurrent")
    return parser


def command_of(parser, flags):
    """Returns the protocol, the mode's name in rows, and the server's command line."""
    if (flags.mode is None) == (flags.server is None):
        parser.error("--mode or --server is required")
    if flags.server is not None:
        if flags.protocol is None:
            parser.error("--server requires --protocol")
        try:
            command = shlex.split(flags.server)
        except ValueError as error:
            parser.error(f"--server: {error}")
        if not command:
            parser.error("--server: the command is empty")
        return flags.protocol, f"{flags.protocol}_custom", command
    if flags.mode in PYTHON_MODES:
        protocol, script, model = PYTHON_MODES[flags.mode]
        command = [sys.executable, str(REFERENCE / script), f"--model={model}"]
    elif native := NATIVE.fullmatch(flags.mode):
        protocol, model = native.groups()
        command = [flags.bench_server, f"--protocol={protocol}", f"--model={model}"]
    else:
        parser.error(f"--mode: unknown mode {flags.mode} (known: rpyc_<model>, http_<model>, "
                     f"{', '.join(PYTHON_MODES)})")
    if flags.protocol not in (None, protocol):
        parser.error(f"--protocol={flags.protocol}: {flags.mode} speaks {protocol}")
    return protocol, flags.mode, command


def add_tls(flags, folder):
    """Makes certificates in `folder` if the transport wants them, and adds them to the flags.

    Raises RuntimeError if openssl is missing or fails.
    """
    version = TLS_VERSIONS[flags.transport]
    if version is None:
        return
    authority = PrivateAuthority(folder)
    certificate, key = authority.sign("server")
    flags.authority = authority.file
    flags.command += [f"--tls_certificate={certificate}", f"--tls_key={key}",
                      f"--tls_version={version}"]


def parse_flags():
    """Returns the flags, with `filter` compiled and `protocol`, `mode` and `command` set.

    Exits with status 2 if a flag is wrong. `authority` is the file of the authority that clients
    trust, None until add_tls.
    """
    parser = make_parser()
    flags = parser.parse_args()
    flags.protocol, flags.mode, flags.command = command_of(parser, flags)
    flags.command = [*flags.command, f"--payload={flags.payload}"]
    flags.authority = None
    try:
        flags.filter = re.compile(flags.filter)
    except re.error as error:
        parser.error(f"--filter: {error}")
    if flags.out is None and not flags.list:
        parser.error("--out is required: the file for the results")
    return flags
