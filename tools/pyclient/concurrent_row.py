"""Measures many clients at once, each a thread of this one process under its one interpreter lock.

This is how a Python program generates such a load. Every connection is made and has answered once
before the clock starts; then all threads begin at the same moment.
"""

import threading
import time

from samples import latency_counters, median_us


class ClientThread(threading.Thread):
    """Connects, waits for the others, makes its requests, waits again and closes.

    Keeps the first error.
    """

    def __init__(self, make_client, requests, everyone):
        super().__init__(daemon=True)
        self._make_client = make_client
        self._requests = requests
        self._everyone = everyone
        self._client = None
        self.error = None
        self.connect_ns = 0
        self.samples = []
        self.begin = self.end = 0

    def run(self):
        self._guarded(self._connect)
        self._everyone.wait()
        self._guarded(self._make_requests)
        self._everyone.wait()
        if self._client is not None:
            self._guarded(self._client.close)

    def _guarded(self, step):
        try:
            if self.error is None:
                step()
        except Exception as error:  # the main thread reports it
            self.error = error

    def _connect(self):
        begin = time.perf_counter_ns()
        self._client = self._make_client()
        self._client.open()
        self._verify(self._client.ping())
        self.connect_ns = time.perf_counter_ns() - begin

    def _make_requests(self):
        ping = self._client.ping
        before = self.begin = time.perf_counter_ns()
        for _ in range(self._requests):
            reply = ping()
            after = time.perf_counter_ns()
            self._verify(reply)
            self.samples.append(after - before)
            before = after
        self.end = before

    @staticmethod
    def _verify(reply):
        if reply != "pong":
            raise RuntimeError(f"a wrong reply: {reply!r}")

    def requests_per_second(self):
        """Returns the rate of this client alone, in requests per second."""
        return self._requests * 1e9 / (self.end - self.begin)


def measure_concurrent(make_client, clients, requests):
    """Measures one round of `clients` threads with `requests` pings each; returns the row's fields.

    real_time is the time of the round in µs. Raises RuntimeError if a client failed.
    """
    cpu = []  # CPU time as the first request begins and as the last reply has arrived
    everyone = threading.Barrier(clients, action=lambda: cpu.append(time.process_time_ns()))
    threads = [ClientThread(make_client, requests, everyone) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [thread.error for thread in threads if thread.error is not None]
    if errors:
        raise RuntimeError(f"{len(errors)} of {clients} clients failed; the first: {errors[0]}")
    spent = max(thread.end for thread in threads) - min(thread.begin for thread in threads)
    rates = [thread.requests_per_second() for thread in threads]
    connects = [thread.connect_ns for thread in threads]
    return {"iterations": 1, "real_time": spent / 1e3, "cpu_time": (cpu[1] - cpu[0]) / 1e3,
            "items_per_second": clients * requests * 1e9 / spent,
            "connect_p50_us": median_us(connects), "connect_max_us": max(connects) / 1e3,
            "slowest_client_per_s": min(rates), "fastest_client_per_s": max(rates),
            **latency_counters([sample for thread in threads for sample in thread.samples])}
