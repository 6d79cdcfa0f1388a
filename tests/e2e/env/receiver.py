"""Real HTTP receivers, and the requests that arrived at them."""

import json
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from .commands import unique
from .receiver_server import HEADER
from .wait import until


class Request:
    """One request as it came in. The head is parsed when it is read first."""

    __slots__ = ("time", "connection", "port", "answered", "head", "body")

    def __init__(self, time, connection, port, answered, head, body):
        self.time, self.connection, self.port, self.answered = time, connection, port, answered
        self.head, self.body = head, body

    @property
    def method(self):
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self):
        return self.head.split(b" ", 2)[1].decode()

    @property
    def header_lines(self):
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]

    @property
    def headers(self):
        return {name.lower(): value for name, value in self.header_lines}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]


def scan(data, offset=0):
    """Whole records of the file's bytes from `offset`: yields (next offset, Request)."""
    while offset + HEADER.size <= len(data):
        time, connection, port, answered, head, body = HEADER.unpack_from(data, offset)
        start = offset + HEADER.size
        offset = start + head + body
        if offset > len(data):
            return
        yield offset, Request(time, connection, port, answered, bytes(data[start : start + head]), bytes(data[start + head : offset]))


class Endpoint:
    """A path of its own at one of the ports, whose answers the test sets."""

    def __init__(self, receivers, port, path):
        self.receivers, self.port, self.path = receivers, port, path
        self.url = f"http://127.0.0.1:{port}{path}"

    def answers(self, *answers):
        """Sets its answers, one after the other, the last one for ever. A number is a status."""
        script = [{"status": answer} if isinstance(answer, int) else answer for answer in answers]
        self.receivers.ask(rules={self.path: script})
        return self

    @property
    def requests(self):
        self.receivers.read()
        return self.receivers.by_path[self.path]

    def wait(self, count=1, timeout=20):
        """At least `count` requests, all of them when there are more."""
        return until(lambda: len(self.requests) >= count and self.requests, timeout, f"{count} requests at {self.path}")


class Receivers:
    def __init__(self, directory, ports=16, named=()):
        self.records = Path(directory) / "requests.bin"
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("receiver_server.py"), self.records, str(ports), *map(str, named)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        hello = json.loads(self.process.stdout.readline())
        self.ports = hello["ports"]
        self.control = socket.create_connection(("127.0.0.1", hello["control"])).makefile("rw")
        self.file = open(self.records, "rb")
        self.rest = b""
        self.by_path = defaultdict(list)

    def endpoint(self, stem="hook", port=0, query=""):
        endpoint = Endpoint(self, self.ports[port % len(self.ports)], f"/{unique(stem)}")
        endpoint.url += query
        return endpoint

    def ask(self, **request):
        self.control.write(json.dumps(request) + "\n")
        self.control.flush()
        return json.loads(self.control.readline())

    def count(self, prefix):
        """How many requests came for paths that start so: without reading them."""
        return self.ask(count=prefix)["count"]

    def read(self):
        data = self.rest + self.file.read()
        scanned = 0
        for end, request in scan(data):
            self.by_path[urlsplit(request.target).path].append(request)
            scanned = end
        self.rest = data[scanned:]

    def close(self):
        self.control.close()
        self.process.stdin.close()
        self.process.wait(10)
