"""The operations as programs in Python call them: through rpyc's root object, through a session of
requests. Constructing a client is what such a program does to connect; `open` completes it. Each
method returns when the whole answer is in memory, decoded; whoever calls verifies it.
"""

import functools
import json
import os

TIMEOUT_SECONDS = 30
HOST = "127.0.0.1"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST


class RpycClient:
    """One connection of rpyc, configured as the servers are."""

    def __init__(self, port):
        import rpyc  # pylint: disable=import-outside-toplevel
        self._connection = rpyc.connect(HOST, port, config={
            "allow_public_attrs": True, "allow_pickle": True,
            "sync_request_timeout": TIMEOUT_SECONDS, "bind_threads": False})
        self._root = None
        self._bound_ping = None

    def open(self):
        """Fetches the root object and what it can do: GETROOT, INSPECT."""
        self._root = self._connection.root

    def close(self):
        self._connection.close()

    def connections(self):
        """How many were opened: never another one."""
        return 1

    def ping(self):
        return self._root.ping()

    def hold_ping(self):
        self._bound_ping = self._root.ping

    def ping_bound(self):
        return self._bound_ping()

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
        """A list passes by reference: the server fetches item by item."""
        return self._root.upload_file_chunked(chunks)

    def download_file_chunked(self, size, chunk_bytes):
        return list(self._root.download_file_chunked(size, chunk_bytes))


@functools.cache
def counted_connections():
    """The class of all HTTP connections from now on; its `made` counts those that were opened."""
    from urllib3.connectionpool import HTTPConnectionPool  # pylint: disable=import-outside-toplevel

    class Counted(HTTPConnectionPool.ConnectionCls):
        made = 0

        def connect(self):
            Counted.made += 1
            super().connect()

    HTTPConnectionPool.ConnectionCls = Counted
    return Counted


class HttpClient:
    """One session of requests with its defaults; it looks for proxies, and is told of none."""

    def __init__(self, port):
        import requests  # pylint: disable=import-outside-toplevel
        counted_connections()
        self._base = f"http://{HOST}:{port}"
        self._session = requests.Session()

    def open(self):
        """Nothing: the session connects with the first request."""

    def close(self):
        self._session.close()

    def connections(self):
        """How many were opened, by this session and those before it."""
        return counted_connections().made

    def _get(self, path):
        return self._checked(self._session.get(self._base + path, timeout=TIMEOUT_SECONDS))

    def _post(self, path, data):
        return self._checked(
            self._session.post(self._base + path, data=data, timeout=TIMEOUT_SECONDS))

    @staticmethod
    def _checked(response):
        if response.status_code != 200:
            raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
        return response

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
        document = json.dumps({"chunks": [chunk.hex() for chunk in chunks]})
        return self._post("/upload-file-chunked", document).json()["size"]

    def download_file_chunked(self, size, chunk_bytes):
        response = self._get(f"/download-file-chunked/{size}/{chunk_bytes}")
        return [bytes.fromhex(chunk) for chunk in response.json()["chunks"]]
