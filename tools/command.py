"""How the tools that read results begin and end, as commands."""

import os
import signal
import sys

from result_rows import Unusable


def run(name, main):
    """Exits with main()'s status; or, for what cannot be used, read or written (Unusable, OSError),
    with 2 and one line on stderr."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `explain … | head` is no error
    try:
        if sys.stdout:  # or it was closed
            sys.stdout.reconfigure(encoding="utf-8")
        status = main()
        if sys.stdout:
            sys.stdout.flush()
    except Unusable as reason:
        status = _refuse(name, str(reason))
    except OSError as error:
        _drop_output()
        status = _refuse(name, f"{error.filename or 'stdout'}: {error.strerror}")
    except KeyboardInterrupt:
        _drop_output()
        status = 128 + signal.SIGINT
    sys.exit(status)


def _refuse(name, reason):
    print(f"{name}: " + " ".join(reason.splitlines()), file=sys.stderr)
    return 2


def _drop_output():
    """Forgets what could not be written, which the interpreter's end would try again."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
