"""Measures one call after another, on one connection or each on a new one.

Every call is timed by itself, and its reply is verified after the clock has stopped.
"""

import contextlib
import time

from client_calls import verify
from samples import latency_counters, median_us


def measure_calls(client, call, check, warmup, count, size=0):
    """Times `count` calls, one after the other, and returns the row's fields.

    `check` verifies a reply; `size` is the payload of a call in bytes. Raises RuntimeError for a
    wrong reply.
    """
    for _ in range(warmup):
        verify(check(call()))
    samples = [0] * count
    cpu = 0
    connections = client.connections()
    for i in range(count):
        cpu_before = time.process_time_ns()
        before = time.perf_counter_ns()
        reply = call()
        samples[i] = time.perf_counter_ns() - before
        cpu += time.process_time_ns() - cpu_before
        verify(check(reply))
    fields = {"iterations": count, "real_time": sum(samples) / count / 1e3,
              "cpu_time": cpu / count / 1e3, **latency_counters(samples),
              "connections": (client.connections() - connections) / count}
    if size:
        fields["bytes_per_second"] = size * count * 1e9 / sum(samples)
    return fields


def measure_connections(make_client, port, count, held):
    """Times `count` connections until their first verified reply, and returns the row's fields.

    They are closed outside the timed region, `held` at a time. Raises RuntimeError for a wrong
    reply.
    """
    phases = {"tcp_connect_us": [], "handshake_us": [], "first_call_us": []}
    samples = []
    cpu = 0
    with contextlib.ExitStack() as stack:
        for i in range(count):
            if i % held == 0:
                stack.close()
            cpu_before = time.process_time_ns()
            begin = time.perf_counter_ns()
            client = make_client(port)
            connected = time.perf_counter_ns()
            stack.callback(client.close)
            ready_from = time.perf_counter_ns()
            client.open()
            ready = time.perf_counter_ns()
            reply = client.ping()
            end = time.perf_counter_ns()
            cpu += time.process_time_ns() - cpu_before
            verify(reply == "pong")
            for phase, spent in zip(phases.values(), (connected - begin, ready - ready_from,
                                                      end - ready)):
                phase.append(spent)
            samples.append(end - begin)
    fields = {"iterations": count, "real_time": sum(samples) / count / 1e3,
              "cpu_time": cpu / count / 1e3, **latency_counters(samples)}
    if client.connects_when_made:  # otherwise there are no separate phases
        fields.update({name: median_us(phase) for name, phase in phases.items()})
    return fields
