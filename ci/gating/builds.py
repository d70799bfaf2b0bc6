"""The two builds of a gate: from a build tree or a git revision to copies at paths of equal length."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from .errors import GateError
from .resident import PATIENCE, child_setup

PROGRAMS = ("bench_all", "bench_server")
BARE = "Floor/ping/real_time"  # a row that every build has
OPTIMISED = ("Release", "RelWithDebInfo")
TOOLS = ("compiler", "boost_version", "google_benchmark_version")
KEPT_TREES = 6
BESIDE = ("allocation_count.so",)  # counts allocations for the ledger; a sanitizer's build has none


@dataclass(frozen=True)
class Build:
    name: str  # "base" or "head"
    folder: str  # with the programs, for this gate alone
    origin: str  # the build tree that they come from
    version: str  # what bench_all --version says
    context: dict  # of its results


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
    if spec is not None and os.access(os.path.join(spec, "bench_all"), os.X_OK):
        return os.path.abspath(spec)
    source = repository if spec is None else work_tree(repository, spec)
    tell(f"building {source}")
    _run([os.path.join(source, "tools", "bench_all"), "--version"], f"building {source}")
    return os.path.join(source, "build", "release")


def work_tree(repository, revision):
    """The folder of a work tree of the revision, made if need be; the ones used least lately go."""
    commit = revision_of(repository, revision)
    if commit is None:
        reason = "a folder without bench_all" if os.path.isdir(revision) else "no build tree"
        raise GateError(f"{revision}: {reason}, and no revision of {repository}")
    trees = os.path.join(repository, "build", "gate", "trees")
    folder = os.path.join(trees, commit[:12])
    git = ["git", "-C", repository, "worktree"]
    if not os.path.isdir(folder) or revision_of(folder, "HEAD") != commit:
        shutil.rmtree(folder, ignore_errors=True)
        _run([*git, "add", "--force", "--force", "--detach", folder, commit],
             f"{revision}: git worktree add")
    os.utime(folder)
    used = sorted((entry.path for entry in os.scandir(trees)), key=os.path.getmtime)
    for old in used[:-KEPT_TREES]:
        _run([*git, "remove", "--force", "--force", old], "git worktree remove")
    return folder


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
    """The Build whose programs are in `folder`. Throws GateError unless they run rows on request and were
    built to be measured."""
    bench_all = os.path.join(folder, "bench_all")
    version = _run([bench_all, "--version"], f"{name}: {tree}")
    done = subprocess.run([bench_all, "--rows_on_request", f"--benchmark_filter={BARE}", "--ledger=false",
                           "--benchmark_min_time=0"], input=f"{BARE}\n", capture_output=True, text=True,
                          timeout=PATIENCE, preexec_fn=child_setup(None), check=False)
    try:
        context = json.loads(done.stdout)["context"]
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        reason = "it is older than the gate" if "--rows_on_request" in said else said
        raise GateError(f"{name}: {version} cannot be gated: {reason}") from None
    build_type, sanitizer = context.get("suite_build_type"), context.get("sanitizer")
    if build_type not in OPTIMISED or sanitizer:
        built = f"with -fsanitize={sanitizer}" if sanitizer else f"as {build_type}"
        raise GateError(f"{name}: {tree} was built {built}, which says nothing about {OPTIMISED[0]}")
    return Build(name, folder, tree, version, context)


def different_tools(base, head):
    """A line for each part that the builds were made with and that is not the same."""
    return [f"built with different tools: {key} is {base.context.get(key)} in base, "
            f"{head.context.get(key)} in head"
            for key in TOOLS if base.context.get(key) != head.context.get(key)]
