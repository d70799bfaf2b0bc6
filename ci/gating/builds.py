"""The two builds of a gate: from a build tree or a git revision to copies at paths of equal length."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from .errors import GateError
from .resident import child_setup

PROGRAMS = ("bench_all", "bench_server")
BESIDE = ("allocation_count.so",)  # counts allocations for the ledger; a sanitizer's build has none


@dataclass(frozen=True)
class Build:
    name: str  # "base" or "head"
    folder: str  # with the programs, for this gate alone
    origin: str  # the build tree that they come from
    version: str  # what bench_all --version says


def _run(command, what, **keywords):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          preexec_fn=child_setup(None), check=False, **keywords)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise GateError(f"{what}: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout.strip()


def revision_of(repository, name):
    """The commit that a name stands for, as 40 digits; None if it is none."""
    done = subprocess.run(["git", "-C", repository, "rev-parse", "--verify", "--quiet",
                           f"{name}^{{commit}}"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def build_tree(repository, spec, tell):
    """The build tree of `spec`: a folder with bench_all, a git revision, or, if None, the repository as it
    is. A revision is built by its own tools/bench_all in a work tree under build/gate, which may be deleted
    at any time; so is the repository itself. Throws GateError."""
    if spec is None:
        source = repository
    elif os.path.isdir(spec):
        if not os.access(os.path.join(spec, "bench_all"), os.X_OK):
            raise GateError(f"{spec}: no build tree, for it has no bench_all")
        return os.path.abspath(spec)
    else:
        commit = revision_of(repository, spec)
        if commit is None:
            raise GateError(f"{spec}: neither a build tree nor a revision of {repository}")
        source = os.path.join(repository, "build", "gate", commit[:12])
        if not os.path.isdir(source):
            _run(["git", "-C", repository, "worktree", "add", "--force", "--detach", source, commit],
                 f"{spec}: git worktree add")
    tell(f"building {source}")
    _run([os.path.join(source, "tools", "bench_all"), "--version"], f"building {source}")
    return os.path.join(source, "build", "release")


def copy_build(name, tree, folder):
    """A Build of copies of the tree's programs in `folder`, which is made. Throws GateError for a tree
    without them, and what copied() throws."""
    os.mkdir(folder)
    for program in PROGRAMS + BESIDE:
        source = os.path.join(tree, program)
        if os.path.exists(source):
            shutil.copy2(source, folder)
        elif program in PROGRAMS:
            raise GateError(f"{name}: {tree} has no {program}")
    return copied(name, tree, folder)


def copied(name, tree, folder):
    """The Build whose programs are in `folder`. Throws GateError if they don't run rows on request."""
    bench_all = os.path.join(folder, "bench_all")
    version = _run([bench_all, "--version"], f"{name}: {tree}")
    done = subprocess.run([bench_all, "--rows_on_request", "--benchmark_filter=Floor/ping"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        older = ": it is older than the gate" if "--rows_on_request" in done.stderr else ""
        raise GateError(f"{name}: {version} cannot be gated{older or ': ' + said}")
    return Build(name, folder, tree, version)
