"""Lets the tests of a class share one server."""


class SharedServer:
    """Ends the server `cls.server`, which the class has started, after its last test.

    The server must end well, and may have written nothing to stderr.
    """

    server = None

    @classmethod
    def tearDownClass(cls):
        complaints = cls.server.stop()
        cls.server.kill()
        assert not complaints, complaints
