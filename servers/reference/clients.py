"""Calls the operations as Python programs do: through rpyc's root object or a session of requests.

Constructing a client does what such a program does to connect; `open` completes it. Each method
performs the suite's operation of its name. It returns when the whole answer is in memory and
decoded; the caller verifies it. `host` is an IPv4 address or a name. With `authority`, a file, it
speaks TLS to servers that this authority has signed. Payloads are bytes and sizes are in bytes.
Calls raise what rpyc or requests raises, after at most TIMEOUT_SECONDS.
"""

import json
import os
import socket
import ssl
import types

from operations import VALUE

TIMEOUT_SECONDS = 30
HOST = "127.0.0.1"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST


def use_no_proxy(host):
    """Excludes a host from proxies, in addition to those that are excluded already."""
    excluded = os.environ["NO_PROXY"]
    if host not in excluded.split(","):
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{excluded},{host}"


class RpycClient:
    """Holds one connection of rpyc, configured as the servers are."""

    connects_when_made = True

    def __init__(self, port, authority=None, host=HOST):
        import rpyc  # pylint: disable=import-outside-toplevel
        config = {"allow_public_attrs": True, "allow_pickle": True,
                  "sync_request_timeout": TIMEOUT_SECONDS, "bind_threads": False}
        if authority is None:
            self._connection = rpyc.connect(host, port, config=config)
        else:  # without cert_reqs, rpyc does not compare the certificate with the address
            self._connection = rpyc.ssl_connect(host, port, ca_certs=authority,
                                                cert_reqs=ssl.CERT_REQUIRED, config=config)
        self._root = None
        self._serving = None
        self._setting = 0
        self.retries = 0

    def serve_in_background(self):
        """Starts a thread that looks for requests of the server, as programs do that share a connection.

        The calling threads take turns at receiving answers, for whichever of them these are.
        """
        import rpyc  # pylint: disable=import-outside-toplevel
        self._serving = rpyc.BgServingThread(self._connection)

    def set_nodelay(self):
        """Turns Nagle's algorithm off at this end, which rpyc leaves on."""
        with socket.socket(fileno=os.dup(self._connection.fileno())) as same_socket:
            same_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def open(self):
        """Fetches the root object and its methods (GETROOT, INSPECT)."""
        self._root = self._connection.root

    def close(self):
        try:
            if self._serving is not None:
                self._serving.stop()
        finally:
            self._connection.close()

    def connections(self):
        """Returns the number of connections opened, which is always one."""
        return 1

    def get_value(self):
        return self._root.value == VALUE

    def lacks_attribute(self):
        return not hasattr(self._root, "missing")

    def set_next(self):
        """Sets the attribute to a number that it did not have; has_set() says whether that worked."""
        self._setting += 1
        self._root.setting = self._setting
        return True

    def has_set(self):
        return self._root.setting == self._setting

    def fails(self):
        try:
            self._root.fail()
        except ValueError as error:
            return error.args == ("failed as asked",)
        return False

    def enter_and_leave(self):
        block = self._root.block()
        with block as entered:
            return entered is block

    def attribute_each(self, count):
        """Returns an attribute of each object of a list, whose objects are references."""
        return [item.number for item in self._root.items(count)]

    def buffiter(self, count):
        """Does the same, and fetches many references at once."""
        from rpyc.utils.helpers import buffiter  # pylint: disable=import-outside-toplevel
        return [item.number for item in buffiter(self._root.items(count))]

    def obtain(self, count):
        """Returns copies of all objects, which the server pickles."""
        from rpyc.utils.classic import obtain  # pylint: disable=import-outside-toplevel
        return obtain(self._root.items(count))

    def by_value(self, count):
        """Returns the attributes of all objects, as tuples."""
        return list(self._root.items_by_value(count))

    def hold_chunks(self, count):
        """Returns a reference to a list of so many chunks of one byte."""
        return self._root.download_file_chunked(count, 1)

    def hold_items(self, count):
        """Returns a reference to a list of so many objects."""
        return self._root.items(count)

    @staticmethod
    def list_held(reference):
        """Returns a list of the objects of a referenced one, fetched one by one."""
        return list(reference)

    @staticmethod
    def buffiter_held(reference):
        """Does the same, and fetches many objects at once."""
        from rpyc.utils.helpers import buffiter  # pylint: disable=import-outside-toplevel
        return list(buffiter(reference))

    @staticmethod
    def obtain_held(reference):
        """Returns a copy of a referenced list, which the server pickles."""
        from rpyc.utils.classic import obtain  # pylint: disable=import-outside-toplevel
        return obtain(reference)

    def ping(self):
        return self._root.ping()

    @property
    def ping_bound(self):
        """A function that calls the method `ping`, fetched once by GETATTR."""
        ping = self._root.ping
        return lambda: ping()

    @property
    def attribute_each_bound(self):
        """A function that gets a list by a held method and returns an attribute of each object in it."""
        items = self._root.items

        def call(count):
            listed = items(count)
            return [item.number for item in listed]
        return call

    def pipelined(self, count):
        """Returns a function that has so many calls of `ping` in flight at once.

        The function returns the list of their replies. The method is fetched once, by GETATTR.
        """
        import rpyc  # pylint: disable=import-outside-toplevel
        ping = rpyc.timed(self._root.ping, TIMEOUT_SECONDS)  # rpyc.async_ with a time limit

        def replies():
            results = [ping() for _ in range(count)]
            return [result.value for result in results]
        return replies

    def echo(self, data):
        return self._root.echo(data)

    def upload(self, data):
        return self._root.upload(data)

    def download(self, size):
        return self._root.download(size)

    def upload_file(self, data):
        return self._root.upload_file(data)

    def download_file(self, size):
        return self._root.download_file(size)

    def upload_file_chunked(self, chunks):
        """Uploads a list of bytes, which rpyc passes by reference: the server fetches each item."""
        return self._root.upload_file_chunked(chunks)

    def download_file_chunked(self, size, chunk_bytes):
        """Returns a list of bytes, fetched item by item from the server's iterator."""
        return list(self._root.download_file_chunked(size, chunk_bytes))


def counting_adapter(**settings):
    """Returns an adapter of requests and an object whose `made` counts its connections."""
    from requests.adapters import HTTPAdapter  # pylint: disable=import-outside-toplevel
    from urllib3 import connectionpool  # pylint: disable=import-outside-toplevel
    count = types.SimpleNamespace(made=0)

    def counted(pool):
        class Counted(pool.ConnectionCls):
            def connect(self):
                count.made += 1
                super().connect()
        return type(pool.__name__, (pool,), {"ConnectionCls": Counted})

    adapter = HTTPAdapter(**settings)
    adapter.poolmanager.pool_classes_by_scheme = {
        "http": counted(connectionpool.HTTPConnectionPool),
        "https": counted(connectionpool.HTTPSConnectionPool)}
    return adapter, count


class HttpClient:
    """Holds one session of requests, for which NO_PROXY excludes proxies.

    The session keeps pools of 10 hosts with up to 100 connections each, and tries a connection that
    fails three times more. `retries` is how often it did.
    """

    connects_when_made = False

    def __init__(self, port, authority=None, host=HOST):
        import requests  # pylint: disable=import-outside-toplevel
        use_no_proxy(host)
        self._base = f"{'http' if authority is None else 'https'}://{host}:{port}"
        self._session = requests.Session()
        adapter, self._count = counting_adapter(pool_connections=10, pool_maxsize=100, max_retries=3)
        self._session.mount(self._base, adapter)
        self._setting = 0
        self.retries = 0
        # Given with each request, because REQUESTS_CA_BUNDLE overrides the session's.
        self._how = {"timeout": TIMEOUT_SECONDS} | ({"verify": authority} if authority else {})

    def open(self):
        """Does nothing, because the session connects with its first request."""

    def close(self):
        self._session.close()

    def connections(self):
        """Returns the number of connections opened."""
        return self._count.made

    def _send(self, method, path, status=200, **content):
        """Returns the response. Raises RuntimeError unless it has that status."""
        response = self._session.request(method, self._base + path, **self._how, **content)
        self.retries += len(response.raw.retries.history)
        if response.status_code != status:
            raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
        return response

    def _get(self, path):
        return self._send("GET", path)

    def _post(self, path, data):
        return self._send("POST", path, data=data)

    def get_value(self):
        return self._get("/value").json()["value"] == VALUE

    def lacks_attribute(self):
        return self._send("GET", "/missing", 404).json() == {"error": "unknown path"}

    def set_next(self):
        """Sets the attribute to a number that it did not have; has_set() says whether that worked."""
        self._setting += 1
        return self._send("PUT", f"/setting/{self._setting}").json()["setting"] == self._setting

    def has_set(self):
        """Sets the attribute and reads it; it is the process's, which other clients set as well."""
        return self.set_next() and self._get("/setting").json() == {"setting": self._setting}

    def fails(self):
        return self._send("GET", "/fail", 400).json() == {"error": "failed as asked"}

    def one_by_one(self, count):
        """Returns all objects, each got by itself, as dictionaries."""
        return [self._get(f"/item/{place}").json() for place in range(count)]

    def batch(self, count):
        """Returns all objects, got in one document."""
        return self._get(f"/items/{count}").json()["items"]

    def ping(self):
        return self._get("/ping").json()["response"]

    def echo(self, data):
        return self._post("/echo", data).content

    def upload(self, data):
        return self._post("/upload", data).json()["size"]

    def download(self, size):
        return self._get(f"/download/{size}").content

    def upload_file(self, data):
        return self._post("/upload-file", data).json()["size"]

    def download_file(self, size):
        return self._get(f"/download-file/{size}").content

    def upload_file_chunked(self, chunks):
        """Uploads a list of bytes as hexadecimal text in JSON; returns the size that arrived."""
        document = json.dumps({"chunks": [chunk.hex() for chunk in chunks]})
        return self._post("/upload-file-chunked", document).json()["size"]

    def download_file_chunked(self, size, chunk_bytes):
        """Returns a list of bytes, decoded from hexadecimal text in JSON."""
        response = self._get(f"/download-file-chunked/{size}/{chunk_bytes}")
        return [bytes.fromhex(chunk) for chunk in response.json()["chunks"]]
