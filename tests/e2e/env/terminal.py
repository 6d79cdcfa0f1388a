"""A program on a terminal of its own: its input and its screen."""

import os
import pty
import re
import select
import signal
import time

from .programs import ENVIRONMENT
from .sanitizer import PATIENCE

ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>])|\r|.\x08")


class Terminal:
    def __init__(self, command, directory, environment=None):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], list(map(str, command)), ENVIRONMENT | {"TERM": "xterm", "COLUMNS": "200"} | (environment or {}))

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def wait(self, text, timeout=20):
        """Waits until the text is shown; forgets everything before it."""
        deadline = time.monotonic() + timeout * PATIENCE
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0 and self._read(left), f"{text!r} is not shown, but {self.shown!r}"
        self.shown = self.shown.partition(text)[2]
        return self

    def _read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # its end, on Linux
            return False
        self.shown = ESCAPES.sub("", self.shown + data.decode(errors="replace"))
        return bool(data)

    def read_all(self, timeout=60):
        """Until it ends; returns everything, as it was sent, and the exit code."""
        while self._read(timeout * PATIENCE):
            pass
        return self.shown, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)
