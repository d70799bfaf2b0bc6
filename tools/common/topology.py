"""Which two CPUs are alike and of different cores, as fixtures/meter/topology.h has it for bench_all."""

DEVICES = "/sys/devices"


def _first_line(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except (OSError, ValueError):
        return ""


def _numbers(text):
    """Of a list such as "0-3,8"."""
    numbers = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def choose_pair(cpus, devices=DEVICES):
    """(the client's CPU, the server's or None): of the fastest type the last; the last one of another core, of that
    type if possible. What the kernel does not tell counts as alike and apart."""
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
