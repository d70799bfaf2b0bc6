"""Links the programs of a build again, with their object files in another order.

Where the linker puts a function decides which cache lines and branch predictor entries it shares,
so that programs with the same code differ in speed. Two such programs show by how much. Only the
project's own object files are shuffled, including those that the build takes from its static
archives.
"""

import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile

from .builds import PROGRAMS, copy_companions

TIMEOUT = 120  # seconds for a command; most take less than one
# The linker's report of a member that it takes from an archive.
MEMBER = re.compile(r"^\((?P<archive>.*)\)(?P<member>.*)$", re.MULTILINE)


class RelinkError(Exception):
    """Says in one line why the build cannot be linked again."""


def relink(build_tree, target_folder, seed):
    """Links the programs of `build_tree` into `target_folder`, which is created.

    `build_tree` is a built tree of CMake's Ninja generator. The same seed gives the same bytes.
    Raises RelinkError.
    """
    build_tree, target_folder = pathlib.Path(build_tree).resolve(), pathlib.Path(target_folder)
    target_folder.mkdir(parents=True, exist_ok=True)
    for program in PROGRAMS:
        _relink(build_tree, target_folder.resolve() / program, random.Random(f"{seed} {program}"))
    copy_companions(build_tree, target_folder)


def _relink(build_tree, target, shuffler):
    command = _link_command(build_tree, target.name)
    output = command.index("-o") + 1
    archives = [word for word in command if word.endswith(".a") and not word.startswith("/")]
    with tempfile.TemporaryDirectory(prefix="rpycbench_relink_") as folder:
        # Links once in the usual order, to learn which members the linker takes.
        command[output] = str(pathlib.Path(folder, target.name))
        told = _run([*command, "-Wl,--trace,--trace"], build_tree)  # the second lists members
        if archives and not MEMBER.search(told):
            raise RelinkError(f"the linker of {target.name} does not report what it links")
        objects = [word for word in command if word.endswith(".o")]
        first = command.index(objects[0])
        for number, archive in enumerate(archives):
            members = [match["member"] for match in MEMBER.finditer(told)
                       if match["archive"] == archive]
            if members:
                place = pathlib.Path(folder, str(number))
                place.mkdir()
                _run(["ar", "x", f"--output={place}", archive, *members], build_tree)
                objects += [str(place / member) for member in members]
        command[output] = str(target)
        others = [word for word in command if word not in objects and word not in archives]
        shuffler.shuffle(objects)
        _run([*others[:first], *objects, *others[first:]], build_tree)


def _link_command(build_tree, program):
    """Returns the words of the command that links the program; paths are relative to the tree."""
    commands = _run(["ninja", "-t", "commands", "-s", program], build_tree).splitlines()
    # CMake writes ": && <before> && <linker> … && <after>".
    for words in map(shlex.split, commands[-1].split(" && ") if commands else ()):
        if "-o" in words and words[words.index("-o") + 1] == program:
            return words
    raise RelinkError(f"{build_tree} has no command that links {program}")


def _run(command, folder):
    try:
        # The output has paths, which go back into commands.
        return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              encoding=sys.getfilesystemencoding(), errors=sys.getfilesystemencodeerrors(),
                              timeout=TIMEOUT, check=True).stdout
    except OSError as error:
        raise RelinkError(f"cannot run {command[0]} in {folder}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise RelinkError(f"{command[0]} takes longer than {TIMEOUT} s") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise RelinkError(f"{command[0]} in {folder} exited with {error.returncode}: "
                          f"{''.join(said)}") from error
