"""kcat, as people type it."""

import json
import subprocess

from .wait import until


class Kcat:
    def __init__(self, world):
        self.world = world

    def _run(self, topic, *arguments, text=None):
        command = ["kcat", "-q", "-b", self.world.bootstrap, "-t", self.world.prefix + topic, *arguments]
        answer = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def write(self, topic, tenant, command):
        self._run(topic, "-P", "-k", tenant, "-X", "partitioner=murmur2_random", text=json.dumps(command))

    def events(self, tenant):
        lines = self._run("webhook-results", "-C", "-e", "-o", "beginning", "-X", "isolation.level=read_committed")
        return [event for event in map(json.loads, lines.splitlines()) if event["tenantId"] == tenant]

    def wait(self, tenant, type):
        """The tenant's last event of this type."""
        return until(lambda: [event for event in self.events(tenant) if event["type"] == type], 20, type)[-1]
