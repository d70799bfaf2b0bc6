"""Runs many clients at once, each a thread of this one process under its one interpreter lock.

This is how a Python program generates such a load. Every connection is made and has answered once
before the first round; in a round, all threads begin at the same moment.
"""

import threading
import time


class ClientThread(threading.Thread):
    """Connects in the first phase, makes its requests in each further one, and closes in the last.

    Keeps the first error, and does nothing after it.
    """

    def __init__(self, make_client, phases):
        super().__init__(daemon=True)
        self._make_client = make_client
        self._phases = phases
        self._client = None
        self.error = None
        self.connect_ns = 0
        self.samples = []
        self.begin = self.end = 0

    def run(self):
        try:
            self._phase(self._connect)
            while self._phases.requests:
                self._phase(self._make_requests)
        except threading.BrokenBarrierError:
            pass  # another thread could not be started
        if self._client is not None:
            self._guarded(self._client.close)

    def _phase(self, step):
        self._guarded(step)
        self._phases.barrier.wait()  # all have ended this phase
        self._phases.barrier.wait()  # the next one begins

    def _guarded(self, step):
        try:
            if self.error is None:
                step()
        except Exception as error:  # the caller reports it
            self.error = error

    def _connect(self):
        begin = time.perf_counter_ns()
        self._client = self._make_client()
        self._verify(self._client.ping())
        self.connect_ns = time.perf_counter_ns() - begin

    def _make_requests(self):
        ping = self._client.ping
        samples = self.samples = []
        before = self.begin = time.perf_counter_ns()
        try:
            for _ in range(self._phases.requests):
                reply = ping()
                after = time.perf_counter_ns()
                self._verify(reply)
                samples.append(after - before)
                before = after
        except Exception:
            self.end = time.perf_counter_ns()
            raise
        self.end = before

    @staticmethod
    def _verify(reply):
        if reply != "pong":
            raise RuntimeError(f"a wrong reply: {reply!r}")

    def requests_per_second(self):
        """Returns the rate of this client alone in the last round."""
        return len(self.samples) * 1e9 / (self.end - self.begin)


class Phases:
    """What moves the threads from phase to phase."""

    def __init__(self, clients):
        self.barrier = threading.Barrier(clients + 1)
        self.requests = 0  # of each client in the phase that begins; 0 ends the threads


class ClientThreads:
    """The clients, as a context manager that ends them. `make_client` returns a client that is open."""

    def __init__(self, make_client, clients, keep_failed=False):
        """Connects all clients at once.

        Raises RuntimeError if one failed, here and later. With `keep_failed` nothing is raised: the
        threads that failed have an `error`, and the others go on.
        """
        self._keep_failed = keep_failed
        self._phases = Phases(clients)
        self.threads = [ClientThread(make_client, self._phases) for _ in range(clients)]
        try:
            for thread in self.threads:
                thread.start()
        except RuntimeError:
            self._phases.requests = 0
            self._phases.barrier.abort()  # ends those that wait there
            raise
        self._phases.barrier.wait()
        try:
            self._check()
        except RuntimeError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def make_requests(self, requests):
        """Lets each client make so many requests. Returns the time in ns from first to last.

        Each thread has its `samples` afterwards. Raises RuntimeError if a client failed.
        """
        self._phases.requests = requests
        self._phases.barrier.wait()
        self._phases.barrier.wait()
        self._check()
        begun = [thread for thread in self.threads if thread.begin]
        return (max((thread.end for thread in begun), default=0) -
                min((thread.begin for thread in begun), default=0))

    def close(self):
        """Closes all connections. May be called again."""
        if not self.threads[0].is_alive():
            return
        self._phases.requests = 0
        self._phases.barrier.wait()
        for thread in self.threads:
            thread.join()

    def _check(self):
        errors = [thread.error for thread in self.threads if thread.error is not None]
        if errors and not self._keep_failed:
            raise RuntimeError(f"{len(errors)} of {len(self.threads)} clients failed; the first: "
                               f"{errors[0]}")
