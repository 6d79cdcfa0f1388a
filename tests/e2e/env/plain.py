"""A receiver that keeps its connections, at an address and port that can be chosen."""

import http.server
import threading


class PlainReceiver:
    """Answers each request with `status`; counts what it got."""

    def __init__(self, address, port=0, status=200):
        self.connections = self.requests = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                receiver.connections += 1
                super().setup()

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                receiver.requests += 1
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
