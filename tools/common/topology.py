"""Chooses two CPUs of the same type on different cores, as fixtures/meter/topology.h does for bench_all."""

DEVICES = "/sys/devices"


def _first_line(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except (OSError, ValueError):
        return ""


def _numbers(text):
    """Parses a list such as "0-3,8" into a set."""
    numbers = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def choose_pair(cpus, devices=DEVICES):
    """Returns the client's CPU and the server's (None if there is only one CPU).

    The client gets the last CPU of the fastest type. The server gets the last CPU of another core, of the same type if
    possible. CPUs that the kernel does not describe count as alike, each with its own core.
    """
    efficient = _numbers(_first_line(f"{devices}/cpu_atom/cpus"))

    def core(cpu):
        return _first_line(f"{devices}/system/cpu/cpu{cpu}/topology/thread_siblings_list") or cpu

    def speed(cpu):
        capacity = _first_line(f"{devices}/system/cpu/cpu{cpu}/cpu_capacity")
        return int(capacity) if capacity.isdigit() else int(cpu not in efficient)

    client = max(cpus, key=lambda cpu: (speed(cpu), cpu))
    others = [cpu for cpu in cpus if cpu != client]
    server = max(others, key=lambda cpu: (core(cpu) != core(client), speed(cpu), cpu), default=None)
    return client, server
