"""Measures the suite's operations as a real Python program performs them, with rpyc or requests.

Starts the server itself, under the process contract. Writes rows in Google Benchmark's JSON.

Exit 0: every row has its numbers. 1: some rows ended in an error and are listed under "errors" in
the file. 2: a flag is wrong, a package is missing, or the filter matches nothing.
"""

import pathlib
import signal
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS.parent / "servers" / "reference"))
sys.path.append(str(TOOLS))

# pylint: disable=wrong-import-position
from flags import add_tls, parse_flags
from placement import Placements
from common.result_rows import Unusable
from results import Results, describe_run
from rows import make_rows
from server_pool import ServerPool


def fail(message):
    """Prints the message on stderr and exits with status 2."""
    print(f"python_client: {message}", file=sys.stderr)
    sys.exit(2)


def measure(row, pool, placements):
    """Returns the row's fields. After an error it ends the server and raises with its stderr."""
    server = pool.acquire(row.placement)
    try:
        with placements.of_client(row.placement):
            return row.measure(server)
    except Exception as error:
        words = pool.discard(row.placement)
        if words:
            error.args = (f"{error}; server: {words}",)
        raise


def measure_all(rows, command, placements, results):
    """Measures the rows with servers that `command` starts, and adds them to the results."""
    with ServerPool(command, placements) as pool:
        for row in rows:
            try:
                fields = measure(row, pool, placements)
            except Exception as error:  # whatever it is, the other rows are still measured
                results.add_error(row, error)
            else:
                results.add(row, fields)


def main():
    if sys.stdout:  # None if the caller closed it
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    flags = parse_flags()
    try:
        rows = [row for row in make_rows(flags) if flags.filter.search(row.name)]
    except ImportError as error:
        fail(f"{error}: install the package python3-{error.name}")
    if not rows:
        fail(f"no row matches --filter={flags.filter.pattern}; --list prints their names")
    if flags.list:
        print("\n".join(row.name for row in rows))
        return 0
    try:
        placements = Placements(row.placement for row in rows)
        results = Results(flags.out, describe_run(flags))
    except (OSError, ValueError, Unusable) as error:
        fail(error)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # removes the folder
    with tempfile.TemporaryDirectory() as folder:
        try:
            add_tls(flags, folder)
        except RuntimeError as error:
            fail(error)
        measure_all(rows, flags.command, placements, results)
    return 1 if results.errors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unusable as error:
        fail(error)
    except KeyboardInterrupt:  # the finished rows are already in the file
        sys.exit(130)
