"""Serves the benchmark operations as a Flask application, under the contract of every server here.

The model `threaded` is Flask's own development server with a thread for each connection. It closes
each connection after its response, and nothing here changes that. `waitress` serves the same
application from a WSGI server that keeps connections, with a pool of four threads (its default).
Requests are not logged. Runs under Python 3.9 or newer with Flask 2.2 or newer, on Linux.
"""

import dataclasses
import json
import logging
import re
import socket
import sys

try:
    import flask
    from werkzeug.exceptions import HTTPException
    from werkzeug.serving import WSGIRequestHandler, make_server
except ImportError as error:
    sys.exit(f"flask_server: {error}: install the package python3-flask")

from operations import MAX_BYTES, MAX_CHUNKS, VALUE, Item, Operations, crash, payloads_of
from serving import announce, end_with_signals, end_with_stdin, parse_flags, tls_context, unix_address

MAX_DOCUMENT_BYTES = 2 * MAX_BYTES + 4 * MAX_CHUNKS + 64  # two digits a byte; quotes, comma, space
MAX_CONNECTIONS = 16_384
BACKLOG = 1024
ERRORS = {404: "unknown path", 405: "method not allowed"}


def json_response(value, status=200):
    """Returns a response with `value` as JSON, without spaces."""
    return flask.Response(json.dumps(value, separators=(",", ":")), status,
                          mimetype="application/json")


def bytes_response(data):
    """Returns a response with bytes as they are."""
    return flask.Response(data, mimetype="application/octet-stream")


def integer(text):
    """Parses a 64-bit integer in decimal. Raises ValueError."""
    if not re.fullmatch("-?[0-9]{1,19}", text) or not -2**63 <= int(text) < 2**63:
        raise ValueError(f"not a 64-bit integer: '{text[:40]}'")
    return int(text)


def number(text):
    """Parses a number. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"not a number: '{text[:40]}'") from None


def received_body(limit=MAX_BYTES):
    """Returns the request's body. Refuses a body without a length or beyond the limit, unread."""
    length = flask.request.content_length
    if length is None:
        flask.abort(411, "a body with a length is required")
    if length > limit:
        flask.abort(413, f"the body is above the limit of {limit} bytes")
    return flask.request.get_data(cache=False)


def received_chunks():
    """Returns the decoded chunks of {"chunks":["<hex>",…]}. Raises ValueError otherwise."""
    try:
        document = json.loads(received_body(MAX_DOCUMENT_BYTES))
        if list(document) != ["chunks"] or not isinstance(document["chunks"], list):
            raise TypeError("expected one key, \"chunks\", and a list")
        if len(document["chunks"]) > MAX_CHUNKS:
            flask.abort(413, f"more than {MAX_CHUNKS} chunks")
        return [bytes.fromhex(chunk) for chunk in document["chunks"]]
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"not a chunk document: {error}") from None


class Views:
    """Has one function for each route; errors are ValueErrors or Werkzeug's."""

    def __init__(self, operations):
        self._operations = operations
        self._setting = 0

    def ping(self):
        return json_response({"response": self._operations.ping()})

    def echo(self):
        return bytes_response(self._operations.echo(received_body()))

    def upload(self):
        return json_response({"size": self._operations.upload(received_body())})

    def download(self, size):
        return bytes_response(self._operations.download(integer(size)))

    def compute(self, n):
        return json_response({"result": self._operations.compute(integer(n))})

    def sleep(self, seconds):
        return json_response({"duration": self._operations.sleep(number(seconds))})

    def value(self):
        return json_response({"value": VALUE})

    def get_setting(self):
        return json_response({"setting": self._setting})

    def put_setting(self, setting):
        self._setting = integer(setting)
        return json_response({"setting": self._setting})

    def fail(self):
        return self._operations.fail()

    def item(self, place):
        return json_response(dataclasses.asdict(Item.at(integer(place))))

    def items(self, count):
        items = self._operations.items(integer(count))
        return json_response({"items": [dataclasses.asdict(item) for item in items]})

    def upload_file(self):
        return json_response({"size": self._operations.upload_file(received_body())})

    def download_file(self, size):
        return bytes_response(self._operations.download_file(integer(size)))

    def upload_file_chunked(self):
        return json_response({"size": self._operations.upload_file_chunked(received_chunks())})

    def download_file_chunked(self, size, chunk_size):
        chunks = self._operations.download_file_chunked(integer(size), integer(chunk_size))
        return json_response({"chunks": [chunk.hex() for chunk in chunks]})


def told_as_json(error):
    """Answers an exception as every server here does: {"error":"…"}."""
    if not isinstance(error, HTTPException):
        return json_response({"error": str(error)}, 400)
    response = error.get_response()  # has the header Allow if it is required
    response.data = json.dumps({"error": ERRORS.get(error.code, error.description)},
                               separators=(",", ":"))
    response.content_type = "application/json"
    return response


def make_app(operations, allow_crash):
    """Returns the Flask application; only with `allow_crash` it has the route /crash."""
    app = flask.Flask("flask_server", static_folder=None)
    views = Views(operations)
    for method, rule, view in (
            ("GET", "/ping", views.ping), ("POST", "/echo", views.echo),
            ("POST", "/upload", views.upload), ("GET", "/download/<size>", views.download),
            ("GET", "/compute/<n>", views.compute), ("GET", "/sleep/<seconds>", views.sleep),
            ("GET", "/value", views.value), ("GET", "/setting", views.get_setting),
            ("PUT", "/setting/<setting>", views.put_setting), ("GET", "/fail", views.fail),
            ("GET", "/item/<place>", views.item), ("GET", "/items/<count>", views.items),
            ("POST", "/upload-file", views.upload_file),
            ("GET", "/download-file/<size>", views.download_file),
            ("POST", "/upload-file-chunked", views.upload_file_chunked),
            ("GET", "/download-file-chunked/<size>/<chunk_size>", views.download_file_chunked)):
        app.add_url_rule(rule, view.__name__, view, methods=[method],
                         provide_automatic_options=False)
    if allow_crash:
        app.add_url_rule("/crash", view_func=crash, methods=["POST"],
                         provide_automatic_options=False)
    app.register_error_handler(HTTPException, told_as_json)
    app.register_error_handler(ValueError, told_as_json)
    return app


class Unlogged(WSGIRequestHandler):
    """Flask's own handler without a log line for each request."""

    def log_request(self, code="-", size="-"):
        pass


def development_server(app, listener, tls):
    """Returns a server for the listening socket, as flask.Flask.run() makes it."""
    address = (("unix://", 0) if listener.family == socket.AF_UNIX
               else listener.getsockname()[:2])
    server = make_server(*address, app, threaded=True, request_handler=Unlogged,
                         ssl_context=tls, fd=listener.fileno())
    return server.serve_forever


def waitress_server(app, listener, tls):
    """Returns a Waitress server for the listening socket, with its defaults except for three.

    Bodies stay in memory instead of going through files, idle connections are kept, and more than a
    hundred are allowed.
    """
    if tls:
        sys.exit("flask_server: Waitress does not speak TLS")
    try:
        from waitress.server import create_server  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        sys.exit(f"flask_server: {error}: install the package python3-waitress")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # waiting requests are normal
    server = create_server(
        app, sockets=[listener], backlog=BACKLOG, max_request_body_size=MAX_DOCUMENT_BYTES,
        inbuf_overflow=MAX_DOCUMENT_BYTES, outbuf_overflow=MAX_DOCUMENT_BYTES,
        channel_timeout=24 * 3600, connection_limit=MAX_CONNECTIONS, asyncore_use_poll=True)
    return server.run


MODELS = {"threaded": development_server, "waitress": waitress_server}


def listen(host, port):
    """Returns a socket that listens there. Raises OSError."""
    path = unix_address(host)
    if path is None:
        return socket.create_server((host, port), backlog=BACKLOG, family=socket.AF_INET6
                                    if ":" in host else socket.AF_INET)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(BACKLOG)
    return listener


def main():
    flags = parse_flags("flask_server", __doc__.splitlines()[0], tuple(MODELS))
    end_with_signals()
    app = make_app(Operations(*payloads_of(flags.payload)), flags.allow_crash)
    try:
        listener = listen(flags.host, flags.port)
    except OSError as error:
        sys.exit(f"flask_server: bind {flags.host}:{flags.port}: {error}")
    serve = MODELS[flags.model](app, listener, tls_context(flags))
    end_with_stdin()
    announce(listener, flags.nonce)
    serve()
    sys.exit("flask_server: stopped serving")


if __name__ == "__main__":
    main()
