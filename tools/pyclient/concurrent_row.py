"""Measures a round of many clients at once, each a thread of this process."""

import time

from client_threads import ClientThreads
from samples import latency_counters, median_us


def measure_concurrent(make_client, clients, requests):
    """Measures one round of `clients` threads with `requests` pings each; returns the row's fields.

    real_time is the time of the round in µs. Raises RuntimeError if a client failed.
    """
    with ClientThreads(make_client, clients) as load:
        cpu = time.process_time_ns()
        spent = load.make_requests(requests)
        cpu = time.process_time_ns() - cpu
    rates = [thread.requests_per_second() for thread in load.threads]
    connects = [thread.connect_ns for thread in load.threads]
    return {"iterations": 1, "real_time": spent / 1e3, "cpu_time": cpu / 1e3,
            "items_per_second": clients * requests * 1e9 / spent,
            "connect_p50_us": median_us(connects), "connect_max_us": max(connects) / 1e3,
            "slowest_client_per_s": min(rates), "fastest_client_per_s": max(rates),
            **latency_counters([sample for thread in load.threads for sample in thread.samples])}
