"""Programs that stand before the gateway: haproxy and nginx, as Debian has them."""

import contextlib
import os
import socket
import subprocess

from .paths import free_port
from .wait import until

HAPROXY = """
global
    log stderr format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    server gateway {backend}
"""

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream gateway {{ server {backend}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""

KINDS = {"haproxy": (HAPROXY, ("haproxy", "-db", "-f")), "nginx": (NGINX, ("nginx", "-p", ".", "-c"))}


def _listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True


@contextlib.contextmanager
def proxy(kind, directory, backend):
    """The address of one before `backend`."""
    text, command = KINDS[kind]
    port, file = free_port(), directory / f"{kind}.conf"
    file.write_text(text.format(port=port, backend=backend, directory=directory))
    path = os.environ["PATH"] + ":/usr/sbin"
    process = subprocess.Popen([*command, file], cwd=directory, env=os.environ | {"PATH": path})
    try:
        until(lambda: _listens(port), 10, f"{kind} to listen")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
