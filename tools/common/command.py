"""Runs a tool that reads results as a command, and writes its files."""

import contextlib
import errno
import os
import pathlib
import signal
import stat
import sys

from .result_rows import Unusable


NO_RENAME = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS)


def run(name, main):
    """Exits with the status that main() returns.

    Exits with 2 and one line on stderr if a file cannot be used, read or written (Unusable,
    OSError). `name` is the command's name in that line.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `explain … | head` is not an error
    try:
        if sys.stdout:  # None if the caller closed it
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
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
    """Writes `content` (bytes) to the file at `path`, as a whole or not at all.

    Links and devices stay what they are, and a file keeps its owner and mode. Some files cannot be replaced by a
    rename, such as a mount point or a file in another user's folder. Such a file is overwritten in place, and a kill
    can leave it incomplete. Raises Unusable if the file cannot be written.
    """
    if path.exists() and not path.is_file():
        raise Unusable(f"{path}: {'Is a directory' if path.is_dir() else 'not a regular file'}")
    target = pathlib.Path(os.path.realpath(path))
    partial = target.with_name(f".rpycbench.{os.getpid()}.partial")  # short, because the target's name may be long
    try:
        _write_new(partial, content, target)
        partial.replace(target)
    except OSError as error:
        if error.errno not in NO_RENAME or not os.access(target, os.W_OK):
            raise Unusable(f"{path}: {error.strerror}") from error
        _write_over(path, target, content)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _write_new(partial, content, target):
    """Writes a new file with the owner and mode of `target`, if that exists. Raises OSError."""
    replaced = target.stat() if target.exists() else None
    mode = 0o600 if replaced else 0o666  # private until it has its owner
    with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        if replaced:
            own = os.fstat(file.fileno())
            if (own.st_uid, own.st_gid) != (replaced.st_uid, replaced.st_gid):
                try:
                    os.fchown(file.fileno(), replaced.st_uid, replaced.st_gid)
                except OSError as error:  # an identity may also be unknown here (EINVAL)
                    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM)) from error
            os.fchmod(file.fileno(), stat.S_IMODE(replaced.st_mode))
        file.write(content)


def _write_over(path, target, content):
    try:
        with open(target, "r+b") as file:
            file.write(content)
            file.truncate()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error


def _refuse(name, reason):
    print(f"{name}: " + " ".join(reason.splitlines()), file=sys.stderr)
    return 2


def _drop_output():
    """Discards output that could not be written; otherwise the interpreter would try again as it exits."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
