"""Chooses two CPUs of the same type on different cores, as fixtures/meter/topology.h does for bench_all."""

import itertools

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

    The client gets a CPU of the fastest type. The server gets one of another core, of the same type and on the same
    socket if possible; a core of its own counts most, the socket least. The last such pair is taken. CPUs that the
    kernel does not describe count as alike, each with its own core, on one socket. `devices` is the kernel's folder.
    """
    efficient = _numbers(_first_line(f"{devices}/cpu_atom/cpus"))

    def speed(cpu):
        capacity = _first_line(f"{devices}/system/cpu/cpu{cpu}/cpu_capacity")
        return int(capacity) if capacity.isdigit() else int(cpu not in efficient)

    speeds = {cpu: speed(cpu) for cpu in cpus}
    topology = {cpu: f"{devices}/system/cpu/cpu{cpu}/topology" for cpu in cpus}
    sockets = {cpu: _first_line(f"{folder}/physical_package_id") for cpu, folder in topology.items()}
    # The threads of a core by number, because core_id alone repeats on each socket.
    cores = {cpu: _first_line(f"{folder}/thread_siblings_list") or cpu for cpu, folder in topology.items()}

    def rank(pair):
        client, server = pair
        return (speeds[client], cores[client] != cores[server], speeds[server], sockets[client] == sockets[server],
                client, server)

    return max(itertools.permutations(cpus, 2), key=rank, default=(*cpus, None))
