#!/usr/bin/env python3
"""The demo's receiver: an HTTP server that answers 200 to everything and records each request.

    receiver.py CALLBACKS ADDRESS

Writes one JSON line for each request to CALLBACKS, and its own host:port to ADDRESS.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        request = {"method": self.command, "target": self.path, "headers": self.headers.items(), "body": body.decode("latin-1")}
        with self.server.lock:
            self.server.callbacks.write(json.dumps(request) + "\n")
            self.server.callbacks.flush()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Quiet: the demo shows what arrived."""


def main(callbacks, address):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.callbacks, server.lock = open(callbacks, "w"), threading.Lock()
    Path(address).write_text("%s:%d\n" % server.server_address)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
