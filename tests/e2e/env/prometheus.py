"""A real Prometheus that scrapes a world's programs, with the rules of compose/prometheus."""

import json
import math
import re
import subprocess
import urllib.parse
import urllib.request

import yaml

from .paths import ROOT, free_port
from .wait import until

RULES = ROOT / "compose/prometheus/rules.yaml"
CONFIG = ROOT / "compose/prometheus/prometheus.yaml"

# A minute of the rules takes so long here: half an hour is a minute.
MINUTE_MS = 2000
MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}


def hastened(duration):
    return f"{int(int(duration[:-1]) * MINUTES[duration[-1]] * MINUTE_MS)}ms"


def hastened_ranges(text):
    """Each `for`, and each range of an expression. Grafana's own range holds four scrapes."""
    text = text.replace("$__rate_interval", "1m")
    return re.sub(r"(for: |\[|offset )(\d+[smhd])\b", lambda found: found[1] + hastened(found[2]), text)


class Prometheus:
    """Watches these programs until it is closed."""

    def __init__(self, directory, programs):
        self.programs = programs
        self.address = f"127.0.0.1:{free_port()}"
        directory.mkdir()
        (directory / "rules.yaml").write_text(hastened_ranges(RULES.read_text()))
        (directory / "prometheus.yaml").write_text(yaml.safe_dump(self.config()))
        self.log = open(directory / "log", "wb")
        options = {
            "config.file": directory / "prometheus.yaml",
            "storage.tsdb.path": directory / "data",
            "web.listen-address": self.address,
            "query.lookback-delta": hastened("5m"),
        }
        command = ["setpriv", "--pdeathsig", "KILL", "prometheus", *(f"--{name}={value}" for name, value in options.items())]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def config(self):
        """The one of compose/prometheus, in a hurry and with other targets."""
        config = yaml.safe_load(CONFIG.read_text())
        config["global"] = {name: hastened(duration) for name, duration in config["global"].items()}
        for job in config["scrape_configs"]:
            kind = job["job_name"].removeprefix("posthorn-")
            job["static_configs"] = [{"targets": [program.address for program in self.programs if program.kind == kind]}]
        return config

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def get(self, path, **arguments):
        """The data of its HTTP API; None where it does not answer yet."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}", timeout=10) as response:
                return json.load(response)["data"]
        except OSError:
            assert self.process.poll() is None, f"Prometheus ended: {self.log.name}"
            return None

    def value(self, expression):
        """The one of an expression that has one series, or None."""
        found = self.get("query", query=expression)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None

    def values(self, expression):
        """Of each series; a NaN, as of a share of nothing, is none."""
        found = self.get("query", query=expression)
        return [value for series in found["result"] if not math.isnan(value := float(series["value"][1]))] if found else []

    def firing(self):
        """The names of the alerts that fire."""
        alerts = self.get("alerts")
        return {alert["labels"]["alertname"] for alert in alerts["alerts"] if alert["state"] == "firing"} if alerts else None

    def wait_up(self):
        """Until every program has answered it."""
        until(lambda: self.value("sum(up)") == len(self.programs), 60, "Prometheus to see them all")
        return self

    def wait_firing(self, *alerts, timeout=60, step=None):
        until(lambda: set(alerts) <= (self.firing() or set()), timeout, f"{alerts} to fire", step)

    def wait_quiet(self, timeout=60):
        """The room on the machine's own disk is no test's matter."""
        until(lambda: (firing := self.firing()) is not None and firing <= {"PosthornDiskFills"}, timeout, f"no alert, of {self.firing()}")
