"""Connects anew for each call, as a program does that makes only one."""


class NewClients:
    """Makes a client for each call, of which one is open at a time, and counts for all of them."""

    def __init__(self, make_client):
        """`make_client` returns a client of clients.py that is not open yet."""
        self._make_client = make_client
        self._client = None
        self._connections = 0
        self.retries = 0

    def open(self):
        """Does nothing, because each call makes its own client."""

    def connect(self):
        """Makes a client, opens it and returns the reply to its first `ping`; close() ends it."""
        self._client = self._make_client()
        self._client.open()
        return self._client.ping()

    def close(self):
        """Closes the client of the last call, unless it is closed."""
        client, self._client = self._client, None
        if client is not None:
            self._connections += client.connections()
            self.retries += client.retries
            client.close()

    def connections(self):
        """Returns the number of connections opened by the clients that are closed."""
        return self._connections
