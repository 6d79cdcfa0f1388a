"""The API over HTTP: plain requests and their answers."""

import http.client
import json
import re
import socket
from dataclasses import dataclass


@dataclass
class Response:
    status: int
    headers: dict  # by lower-case name
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @classmethod
    def of(cls, response):
        return cls(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


class Client:
    """Requests to one address, each on a connection of its own."""

    def __init__(self, address, token=None, context=None):
        self.address, self.token, self.context = address, token, context

    def __call__(self, method, path, body=None, headers=None):
        """`body`: bytes as they are, anything else as JSON."""
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            sent["content-type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = self.connect()
        try:
            connection.request(method, path, body, {name: value for name, value in (sent | (headers or {})).items() if value is not None})
            return Response.of(connection.getresponse())
        finally:
            connection.close()

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection(self.address, timeout=30, context=self.context)
        return http.client.HTTPConnection(self.address, timeout=30)


def statuses(answer):
    """Of the final answers in what came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([2-5]\d\d) ", answer)]


def raw_to_end(address, data, timeout=10):
    """As raw, where the other side must close: a TimeoutError if it does not."""
    host, port = address.rsplit(":", 1)
    received = b""
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(data)
        while portion := connection.recv(65536):
            received += portion
    return received


def raw(address, data, timeout=10):
    """Sends bytes as they are; returns all that comes back until the other side closes, or nothing
    comes for `timeout`.
    """
    host, port = address.rsplit(":", 1)
    received = b""
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(data)
        try:
            while portion := connection.recv(65536):
                received += portion
        except (TimeoutError, ConnectionResetError):
            pass
    return received
