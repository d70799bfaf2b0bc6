"""Reads the facts of a machine with one command, which a launcher can run on the server's host.

The files are those of Linux; facts that a machine lacks are omitted. The command has no word that a
shell would change, because ssh passes it to a shell.
"""

import re
import subprocess

from common.result_rows import Unusable

PROC, DMI = "/proc/sys/kernel", "/sys/class/dmi/id"
GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
FILES = (f"{PROC}/hostname", f"{PROC}/osrelease", "/etc/os-release", "/proc/cpuinfo",
         "/proc/meminfo", GOVERNOR, f"{DMI}/sys_vendor", f"{DMI}/product_name", "/proc/loadavg")
COMMAND = ("head", "-v", "-n", "100000", *FILES)
TIMEOUT_S = 30


def read_facts(launcher=""):
    """Returns (host name, lasting facts, load averages) of the machine that the launcher leads to.

    Raises Unusable if the command prints no host name there.
    """
    command = [*launcher.split(), *COMMAND]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                              errors="replace", timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable(f"the facts of a host: {command[0]}: {error}") from error
    return parse(done.stdout, done.stderr)


def parse(output, complaint=""):
    """Parses what the command printed; returns and raises the same as read_facts."""
    pieces = re.split(r"^==> (.*) <==\n", output, flags=re.MULTILINE)
    text = {path: content.strip() for path, content in zip(pieces[1::2], pieces[2::2])}

    def first(path, pattern):
        match = re.search(pattern, text.get(path, ""), re.MULTILINE)
        return match[1] if match else None

    name = text.get(FILES[0])
    if not name:
        last = complaint.strip().splitlines()[-1:]
        raise Unusable(f"the facts of a host: no {FILES[0]} there{': ' if last else ''}"
                       + "".join(last))
    virtual = first("/proc/cpuinfo", r"^flags\s*:.*\b(hypervisor)\b")
    machine = filter(None, (text.get(f"{DMI}/sys_vendor"), text.get(f"{DMI}/product_name")))
    facts = {
        "kernel": text.get(f"{PROC}/osrelease"),
        "system": first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "cpu_model": first("/proc/cpuinfo", r"^model name\s*: (.*)"),
        "cpus": len(re.findall(r"^processor\s*:", text.get("/proc/cpuinfo", ""), re.MULTILINE)),
        "memory_gib": round(int(first("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0) / 2**20, 1),
        "cpu_governor": text.get(GOVERNOR),
        "machine": " ".join(machine),
        "virtual": "yes" if virtual else "no sign of it"}
    load = [float(value) for value in text.get("/proc/loadavg", "").split()[:3]]
    return name, {key: value for key, value in facts.items() if value}, load


def look(launcher):
    """Returns ({name: facts}, {name: load}) of this host, then of the host with the servers."""
    name, facts, load = read_facts()
    hosts, loads = {name: facts}, {name: load}
    if launcher:
        other, facts, load = read_facts(launcher)
        if hosts.get(other, facts) != facts:
            other += " (server)"  # another machine with the same name
        hosts[other], loads[other] = facts, load
    return hosts, loads
