"""How the tools that read results begin and end, as commands, and write files."""

import contextlib
import errno
import os
import pathlib
import signal
import sys

from .result_rows import Unusable


NO_RENAME = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS)


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


def write_whole(path, content):
    """Writes the file as a whole or, throwing Unusable, not at all. Links and devices stay. A file that no rename can
    replace, as one that is a mount or in a folder of somebody else's, is written over, which a kill can tear."""
    if path.exists() and not path.is_file():
        raise Unusable(f"{path}: {'Is a directory' if path.is_dir() else 'not a regular file'}")
    target = pathlib.Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(partial, "xb") as file:
            file.write(content)
        partial.replace(target)
    except OSError as error:
        if error.errno not in NO_RENAME or not os.access(target, os.W_OK):
            raise Unusable(f"{path}: {error.strerror}") from error
        with open(target, "r+b") as file:
            file.write(content)
            file.truncate()
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _refuse(name, reason):
    print(f"{name}: " + " ".join(reason.splitlines()), file=sys.stderr)
    return 2


def _drop_output():
    """Forgets what could not be written, which the interpreter's end would try again."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
