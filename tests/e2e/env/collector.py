"""A real OpenTelemetry collector (tests/e2e/collector), which prints the spans that it receives."""

import os
import re
import shutil
import subprocess

import pytest

from .paths import ROOT, free_port
from .sanitizer import PATIENCE
from .wait import until

SOURCE = ROOT / "tests/e2e/collector"
BUILD_TIMEOUT_S = 1200
CONFIG = """yaml:
  receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: "{address}" }} }} }} }}
  exporters: {{ debug: {{ verbosity: detailed }} }}
  service:
    telemetry: {{ metrics: {{ level: none }} }}
    pipelines: {{ traces: {{ receivers: [otlp], exporters: [debug] }} }}
"""


def build():
    """The program, built once for all runs."""
    if not shutil.which("go"):
        pytest.skip("go is missing")
    folder = ROOT / "build/clients/collector"
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    made = subprocess.run(
        ["go", "build", "-trimpath", "-o", "collector", "."],
        cwd=folder,
        env=os.environ | {"CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S * PATIENCE,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder / "collector"


class Collector:
    def __init__(self, directory):
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self.log = directory / "collector.log"
        with open(self.log, "wb") as log:
            command = ["setpriv", "--pdeathsig", "KILL", build(), "--config", CONFIG.format(address=self.address)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: "Everything is ready" in self.text() or self.process.poll() is not None, 60, "the collector")
        assert self.process.poll() is None, self.text()[-2000:]

    def text(self):
        return self.log.read_text(errors="replace")

    def close(self):
        self.process.terminate()
        self.process.wait(30)

    def spans(self):
        """Each as {"Trace ID", "Parent ID", "ID", "Name", "Kind", "Status code", ...}, with its
        attributes in "attributes" and the ids of what it links to in "links".
        """
        found = []
        for text in re.split(r"(?m)^Span #\d+$", self.text())[1:]:
            span = dict(re.findall(r"(?m)^    (\S[\w ]*?) *: ?(.*)$", text))
            span["attributes"] = dict(re.findall(r"(?m)^     -> ([\w.]+): \w+\((.*)\)$", text))
            span["links"] = re.findall(r"SpanLink #\d+\s+-> Trace ID: \w+\s+-> ID: (\w+)", text)
            found.append(span)
        return found
