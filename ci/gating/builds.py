"""The two builds of a gate: from a build tree or a git revision to copies at paths of equal length."""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace

from .errors import GateError
from .resident import ENDS_WITH_PARENT, PATIENCE, last_line
from .rows import check_build

PROGRAMS = ("bench_all", "bench_server")
BARE = "Floor/ping/real_time"  # a row that every build has
RPYC = "Latency/rpyc_threaded/ping/real_time"  # selected with it, for then the context names the dialect
TOOLS = ("compiler", "boost_version", "google_benchmark_version")
KEPT_TREES = 6
# What counts allocations for the ledger, which a sanitizer's build has not, and the servers in Python.
BESIDE = ("allocation_count.so", "reference")


@dataclass(frozen=True)
class Build:
    name: str  # "base" or "head"
    folder: str  # with the programs, for this gate alone
    origin: str  # the build tree that they come from
    version: str  # what bench_all --version says
    context: dict  # of its results


def _run(command, what, patience=None, said=""):
    """What the command prints, without blanks around it. It ends within `patience` seconds, and with all that
    it has started when the gate is interrupted. Throws GateError with its last words."""
    with subprocess.Popen([*ENDS_WITH_PARENT, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            out, err = process.communicate(said, patience)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise GateError(f"{what}: not done after {patience} s") from None
            raise
    if process.returncode != 0:
        raise GateError(f"{what}: {last_line(err) or f'exit status {process.returncode}'}")
    return out.strip()


def revision_of(repository, name):
    """The commit that a name stands for, as 40 digits; None if it is none. Throws GateError where git does
    not work."""
    _run(["git", "-C", repository, "rev-parse", "--git-dir"], "git", PATIENCE)
    done = subprocess.run(["git", "-C", repository, "rev-parse", "--verify", "--quiet",
                           f"{name}^{{commit}}"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def is_tree(spec):
    """Whether this is a build tree, and no revision."""
    return os.access(os.path.join(spec, "bench_all"), os.X_OK)


def committed_text(repository, revision, path):
    """What a file of the repository says in a revision; empty if it has no such file, None if the repository has no
    such revision."""
    if not revision or revision_of(repository, revision) is None:
        return None
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(repository))
    done = subprocess.run(["git", "-C", repository, "show", f"{revision}:{name}"], capture_output=True, text=True,
                          check=False)
    return done.stdout if done.returncode == 0 else ""


def build_tree(repository, spec, tell, may_install=True):
    """The build tree of `spec`: a folder with bench_all, a git revision, or, if None, the repository as it
    is. A revision is built by its own tools/bench_all in a work tree under build/gate/trees, which may be
    deleted at any time; so is the repository itself. An installation has none (None), and takes folders
    only. What the build lacks is installed if that is wanted. Throws GateError."""
    if spec is not None and is_tree(spec):
        return os.path.abspath(spec)
    if repository is None:
        raise GateError(f"{spec or 'the head'}: no build tree; for revisions, use ci/gate of a clone")
    source = repository if spec is None else work_tree(repository, spec)
    tell(f"building {source}")
    log = os.path.join(source, "build", "release.log")
    _run([os.path.join(source, "tools", "bench_all"), "--version", *([] if may_install else ["--no-install"])],
         f"building {source} (see {log})")
    return os.path.join(source, "build", "release")


def work_tree(repository, revision):
    """The folder of a work tree of the revision, made if need be; the ones used least lately go."""
    commit = revision_of(repository, revision)
    if commit is None:
        reason = "a folder without bench_all" if os.path.isdir(revision) else "no build tree"
        raise GateError(f"{revision}: {reason}, and no revision of {repository}")
    trees = os.path.join(repository, "build", "gate", "trees")
    folder = os.path.join(trees, commit[:12])
    git, partial = ["git", "-C", repository, "worktree"], folder + ".partial"
    if not os.path.exists(os.path.join(folder, ".git")):
        for remains in (folder, partial):
            shutil.rmtree(remains, ignore_errors=True)
        _run([*git, "prune"], "git worktree prune")
        _run([*git, "add", "--detach", partial, commit], f"{revision}: git worktree add")
        _run([*git, "move", partial, folder], f"{revision}: git worktree move")  # it is complete
    os.utime(folder)
    used = sorted((entry.path for entry in os.scandir(trees)), key=os.path.getmtime)
    for old in used[:-KEPT_TREES]:
        shutil.rmtree(old)
    return folder


def copy_build(name, tree, folder, flags):
    """A Build of copies of the tree's programs in `folder`, which is made. Throws GateError for a tree
    without them, and what copied() throws."""
    copy_programs(name, tree, folder)
    return copied(name, tree, folder, flags)


def copy_again(build, name, folder):
    """The same Build of other copies in `folder`, which is made; what it says of itself is known."""
    copy_programs(name, build.origin, folder)
    return replace(build, name=name, folder=folder)


def copy_programs(name, tree, folder):
    """Copies the tree's programs into `folder`, which is made. Throws GateError for a tree without them."""
    os.mkdir(folder)
    for program in PROGRAMS:
        if not os.path.exists(os.path.join(tree, program)):
            raise GateError(f"{name}: {tree} has no {program}")
        shutil.copy2(os.path.join(tree, program), folder)
    copy_companions(tree, folder)


def copy_companions(tree, folder):
    """Copies what the programs of the tree look for beside themselves, as far as the tree has it."""
    for name in BESIDE:
        source = os.path.join(tree, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(folder, name),
                            ignore=shutil.ignore_patterns("__pycache__"))
        elif os.path.exists(source):
            shutil.copy2(source, folder)


def copied(name, tree, folder, flags):
    """The Build whose programs are in `folder`; `flags` of bench_all are for its context. Throws GateError
    unless they run rows on request and were built to be measured."""
    bench_all = os.path.join(folder, "bench_all")
    version = _run([bench_all, "--version"], f"{name}: {tree}", PATIENCE)
    try:
        answer = _run([bench_all, *flags, "--rows_on_request", f"--benchmark_filter=^({BARE}|{RPYC})$",
                       "--ledger=false", "--benchmark_min_time=0"],
                      f"{name}: {version} cannot be gated", PATIENCE, f"{BARE}\n")
    except GateError as error:
        if "unknown argument" in str(error):
            raise GateError(f"{name}: {version} cannot be gated: it is older than the gate") from None
        raise
    try:
        context = json.loads(answer)["context"]
        check_build(context, f"{name}: {tree}")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise GateError(f"{name}: {version} cannot be gated: it answers {answer[:80]!r}") from None
    return Build(name, folder, tree, version, context)


def different_tools(base, head):
    """A line for each part that the builds were made with and that is not the same."""
    return [f"built with different tools: {key} is {base.context.get(key)} in base, "
            f"{head.context.get(key)} in head"
            for key in TOOLS if base.context.get(key) != head.context.get(key)]
