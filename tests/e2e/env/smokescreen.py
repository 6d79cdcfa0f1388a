"""A real forward proxy: stripe/smokescreen, as tests/e2e/smokescreen builds it."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections import namedtuple

import pytest

from .paths import ROOT, free_port
from .sanitizer import PATIENCE
from .wait import until

SOURCE = ROOT / "tests/e2e/smokescreen"
PROGRAM = ROOT / "build/smokescreen"
BUILD_TIMEOUT_S = 600

# Smokescreen looks at a login only where it has a list of those who may go out.
WHO_MAY = """version: v1
services:
  - name: posthorn
    project: tests
    action: open
"""

Decision = namedtuple("Decision", "kind host allowed")
_DECISION = re.compile(r'msg=CANONICAL-PROXY-DECISION allow=(\w+).* proxy_type=(\w+) requested_host="?([^" ]+)')


def build():
    """Once for all runs, by its own tools from its own registry."""
    if not shutil.which("go"):
        pytest.skip("go is missing")
    command = ["go", "build", "-o", PROGRAM, "."]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return PROGRAM


class Smokescreen:
    """Runs until it is killed, and can be started again at the same port. With `login` it asks for
    that one, user:password.
    """

    def __init__(self, directory, *arguments, login=""):
        self.log = directory / "smokescreen.log"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.command = [build(), "--listen-ip", "127.0.0.1", "--listen-port", str(self.port), *arguments]
        if login:
            who_may = directory / "who-may.yaml"
            who_may.write_text(WHO_MAY)
            self.command += ["--egress-acl-file", who_may]
        self.environment = os.environ | {"LOGIN": login}
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)
        until(self._listens, 10, "smokescreen to listen")

    def _listens(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def decisions(self, url):
        """Those about requests for this url's host."""
        host = url.split("/")[2]
        found = _DECISION.findall(self.log.read_text(errors="replace"))
        return [Decision(kind, asked, allowed == "true") for allowed, kind, asked in found if asked == host]
