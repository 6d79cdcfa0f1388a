"""The gateway of a run: nobody asks it anything, and it folds webhook-results into its history all
along, whatever happens to it. `check` asks for what is left.
"""

import threading

from env.programs import Gateway

from .pool import spawn


class Folder(Gateway):
    """One thread at a time does things to it: the holder of `lock`."""

    def __init__(self, directory, settings):
        super().__init__(directory, "gateway-1", settings)
        self.lock = threading.RLock()
        self.history = self.data / "history.db"

    def start(self, ready=False):
        self.process = spawn(self.program, ("--config", self.config, *self.arguments), self.log)
        if ready:
            self.wait_ready()
        return self

    def kill(self):
        if self.running:
            super().kill()

    def folds(self):
        """Whether it has folded something since it was started."""
        return self.metrics().get("posthorn_gateway_history_events_total", 0) > 0

    def files(self):
        return list(self.data.glob("history.db*"))

    def forget(self):
        for file in self.files():
            file.unlink()

    def tail(self, lines=15):
        return self.log.read_text(errors="replace").splitlines()[-lines:]
