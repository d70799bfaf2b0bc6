"""Prepares a gate's two builds: from a build tree or a git revision to copies at paths of equal length."""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace

from common.resident import ENDS_WITH_PARENT, PATIENCE, last_line  # in tools/

from .errors import GateError
from .rows import check_build

PROGRAMS = ("bench_all", "bench_server")
BARE = "Floor/ping/real_time"  # a row that every build has
RPYC = "Latency/rpyc_threaded/ping/real_time"  # selected as well, so that the context names the dialect
TOOLS = ("compiler", "boost_version", "google_benchmark_version")
KEPT_TREES = 6
# The library that counts allocations, which a sanitizer's build lacks, and the servers in Python.
BESIDE = ("allocation_count.so", "reference")


@dataclass(frozen=True)
class Build:
    """One side of a gate: copies of a build's programs, and what they say of themselves."""
    name: str  # "base" or "head"
    folder: str  # with the programs, for this gate alone
    origin: str  # the build tree that they come from
    version: str  # printed by bench_all --version
    context: dict  # of the build's results

    @property
    def bench_all(self):
        return os.path.join(self.folder, "bench_all")


def _run(command, what, patience=None, said=""):
    """Runs a command and returns its output, stripped.

    It must end within `patience` seconds. If the gate is interrupted, it ends with all that it has
    started. Raises GateError with its last words.
    """
    with subprocess.Popen([*ENDS_WITH_PARENT, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                          start_new_session=True) as process:
        try:
            out, err = process.communicate(said, patience)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise GateError(f"{what}: did not finish within {patience} s") from None
            raise
    if process.returncode != 0:
        raise GateError(f"{what}: {last_line(err) or f'exit status {process.returncode}'}")
    return out.strip()


def _git(repository):
    """Returns the beginning of a git command for the repository.

    It may belong to another user, as in a container. The gate runs its programs anyway, so it trusts its settings.
    """
    return ["git", "-c", "safe.directory=*", "-C", repository]


def revision_of(repository, name):
    """Returns the commit that a name stands for, as 40 digits, or None. Raises GateError if git fails."""
    _run([*_git(repository), "rev-parse", "--git-dir"], "git", PATIENCE)
    done = subprocess.run([*_git(repository), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
                          capture_output=True, encoding="ascii", errors="replace", check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def is_tree(spec):
    """Returns whether this is a build tree instead of a revision."""
    return os.access(os.path.join(spec, "bench_all"), os.X_OK)


def committed_text(repository, revision, path):
    """Returns the text of a file in a revision.

    The text is empty if the revision has no such file, and None if the repository has no such
    revision.
    """
    if not revision or revision_of(repository, revision) is None:
        return None
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(repository))
    done = subprocess.run([*_git(repository), "show", f"{revision}:{name}"], capture_output=True, check=False,
                          encoding="utf-8", errors="replace")
    return done.stdout if done.returncode == 0 else ""


def build_tree(repository, spec, tell, may_install=True):
    """Returns the build tree of `spec`: a folder with bench_all, a git revision, or None for the working tree.

    A revision is built by its own tools/bench_all in a work tree under build/gate/trees, which may be
    deleted at any time. The working tree is built the same way. An installation has no repository (None)
    and accepts only folders. Missing packages are installed if `may_install`. Raises GateError.
    """
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
    """Returns the folder of a work tree of the revision, made if necessary; least recently used ones go."""
    commit = revision_of(repository, revision)
    if commit is None:
        reason = "a folder without bench_all" if os.path.isdir(revision) else "no build tree"
        raise GateError(f"{revision}: {reason}, and no revision of {repository}")
    trees = os.path.join(repository, "build", "gate", "trees")
    folder = os.path.join(trees, commit[:12])
    git, partial = [*_git(repository), "worktree"], folder + ".partial"
    if not os.path.exists(os.path.join(folder, ".git")):
        for remains in (folder, partial):
            shutil.rmtree(remains, ignore_errors=True)
        _run([*git, "prune"], "git worktree prune")
        _run([*git, "add", "--detach", partial, commit], f"{revision}: git worktree add")
        _run([*git, "move", partial, folder], f"{revision}: git worktree move")  # marks it as complete
    os.utime(folder)
    used = sorted((entry.path for entry in os.scandir(trees)), key=os.path.getmtime)
    for old in used[:-KEPT_TREES]:
        shutil.rmtree(old)
    return folder


def copy_build(name, tree, folder, flags):
    """Copies the tree's programs into a new `folder` and returns the Build.

    Raises GateError if the tree lacks them, and as copied() does.
    """
    copy_programs(name, tree, folder)
    return copied(name, tree, folder, flags)


def copy_again(build, name, folder):
    """Returns the same Build with other copies in a new `folder`, without asking the programs again."""
    copy_programs(name, build.origin, folder)
    return replace(build, name=name, folder=folder)


def copy_programs(name, tree, folder):
    """Copies the tree's programs into a new `folder`. Raises GateError if the tree lacks one."""
    os.mkdir(folder)
    for program in PROGRAMS:
        if not os.path.exists(os.path.join(tree, program)):
            raise GateError(f"{name}: {tree} has no {program}")
        shutil.copy2(os.path.join(tree, program), folder)
    copy_companions(tree, folder)


def copy_companions(tree, folder):
    """Copies the files that the programs look for in their folder, as far as the tree has them."""
    for name in BESIDE:
        source = os.path.join(tree, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(folder, name),
                            ignore=shutil.ignore_patterns("__pycache__"))
        elif os.path.exists(source):
            shutil.copy2(source, folder)


def copied(name, tree, folder, flags):
    """Returns the Build whose programs are in `folder`; `flags` of bench_all apply to its context.

    Raises GateError unless they run rows on request and were built to be measured.
    """
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
    """Returns a line for each tool that the two builds were made with and that differs."""
    return [f"built with different tools: {key} is {base.context.get(key)} in base, "
            f"{head.context.get(key)} in head"
            for key in TOOLS if base.context.get(key) != head.context.get(key)]
