"""A real schema registry by compose/registry, and a front of our own that makes it fail."""

import base64
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .paths import ROOT
from .sanitizer import PATIENCE

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
PROGRAM = ROOT / "compose/registry"


class Registry:
    """Apicurio Registry. `url` is where it speaks Confluent's API."""

    def __init__(self, directory, *arguments, java_home=None):
        self.directory = directory
        environment = os.environ | ({"JAVA_HOME": str(java_home)} if java_home else {})
        answer = subprocess.run(
            [PROGRAM, "start", "--port", "0", "--dir", directory, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert answer.returncode == 0, answer.stderr
        self.url = answer.stdout.strip()

    def stop(self):
        subprocess.run([PROGRAM, "stop", "--dir", self.directory], check=True, capture_output=True)

    def _ask(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": MEDIA_TYPE})
        with urllib.request.urlopen(request, timeout=30 * PATIENCE) as response:
            return json.load(response)

    def register(self, subject, definition):
        """The id of a schema: a dictionary, or its text."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        return self._ask(f"/subjects/{subject}/versions", {"schema": text})["id"]

    def subjects(self):
        return self._ask("/subjects")

    def allow_all(self, subject):
        """Any schema may follow another in it."""
        data = json.dumps({"compatibility": "NONE"}).encode()
        request = urllib.request.Request(f"{self.url}/config/{subject}", data, {"Content-Type": MEDIA_TYPE}, method="PUT")
        with urllib.request.urlopen(request, timeout=30):
            pass


def framed(id, record):
    """A record in Confluent's frame."""
    return b"\x00" + id.to_bytes(4, "big") + record


class FrontServer(ThreadingHTTPServer):
    """A client that has gone away leaves no traceback."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionResetError | BrokenPipeError | ssl.SSLError):
            super().handle_error(request, client_address)


class Front:
    """Stands before a registry: passes each request on, or fails as `fails` says: a status, "slow"
    (no answer), or "cut" (the connection ends). `authorization` is the header that it demands.
    With `certificate` it speaks TLS, and with `authority` it demands a client's certificate.
    """

    def __init__(self, registry, certificate=None, authority=None, authorization=None):
        self.backend = urllib.parse.urlsplit(registry.url)
        self.fails, self.authorization = None, authorization
        self.requests = []
        self.awake = threading.Event()
        self.server = FrontServer(("127.0.0.1", 0), self._handler())
        if certificate:
            self._speak_tls(certificate, authority)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}{self.backend.path}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _speak_tls(self, certificate, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    def _handler(front):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                front.requests.append((self.command, self.path, self.headers.get("authorization")))
                if front.fails == "cut":
                    self.close_connection = True
                    return
                self.answer(*front.judge(self.command, self.path, self.headers, body))

            do_GET = do_POST = do_PUT = serve

            def answer(self, status, body):
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", MEDIA_TYPE)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def judge(self, method, path, headers, body):
        if self.fails == "slow":
            self.awake.wait(60)
        elif self.fails:
            return self.fails, b'{"error_code":50001,"message":"it fails"}'
        if self.authorization and headers.get("authorization") != self.authorization:
            return 401, b'{"error_code":401,"message":"Unauthorized"}'
        connection = http.client.HTTPConnection(self.backend.hostname, self.backend.port, timeout=30)
        connection.request(method, path, body or None, {"Content-Type": headers.get("content-type", MEDIA_TYPE)})
        response = connection.getresponse()
        return response.status, response.read()

    def fail(self, how):
        self.awake.clear()
        self.fails = how

    def mend(self):
        self.fails = None
        self.awake.set()

    def close(self):
        self.mend()
        self.server.shutdown()
        self.server.server_close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
