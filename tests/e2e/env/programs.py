"""The two programs, as processes."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections import namedtuple

from .paths import ADMIN, WORKER, free_port
from .sanitizer import PATIENCE, reports
from .wait import until

# The tests' own POSTHORN_ variables are none of the programs' settings.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("POSTHORN_")}

Answer = namedtuple("Answer", "code out err")


def run(program, *arguments, input=None, timeout=60, environment=None):
    result = subprocess.run(
        [program, *map(str, arguments)],
        input=input,
        capture_output=True,
        text=True,
        timeout=timeout * PATIENCE,
        check=False,
        env=ENVIRONMENT | (environment or {}),
    )
    assert not reports(result.stderr), f"{program} {arguments}: {result.stderr}"
    return Answer(result.returncode, result.stdout, result.stderr)


def write_properties(path, settings):
    """For its owner alone: it may hold a password."""
    path.touch(0o600)
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return path


class Admin:
    """posthorn-admin with the world's configuration."""

    program = ADMIN

    def __init__(self, config):
        self.config = config

    def __call__(self, *arguments, **options):
        return run(self.program, "--config", self.config, *arguments, **options)

    def ok(self, *arguments, **options):
        answer = self(*arguments, **options)
        if answer.code != 0:
            raise AssertionError(f"{arguments}: exit code {answer.code}, {answer.err[-2000:]}")
        return answer.out

    def json(self, *arguments, **options):
        return json.loads(self.ok(*arguments, "--json", **options))

    def jwks(self, tenant):
        return self.json("jwks", "show", "--tenant", tenant)

    def dump(self, replica=None):
        return self.ok("state", "dump", "--json", *(["--replica", replica] if replica else []), timeout=600)


LOG_SHOWN = 4000


class Server:
    """A program that runs until it is stopped. Its log must hold no error that the test did not
    announce with `expect_error`.

    `address` answers operators: /readyz, /metrics. `identity` are setpriv's options for the user
    that it runs as.
    """

    arguments = ()

    def __init__(self, directory, id, settings, identity=()):
        self.id, self.identity = id, identity
        self.directory = directory / id
        self.directory.mkdir(exist_ok=True)
        self.log = self.directory / f"{self.kind}.log"
        self.address = f"127.0.0.1:{free_port()}"
        self.config = write_properties(self.directory / f"{self.kind}.properties", self.own_settings() | settings)
        self.expected_errors = []
        self.process = None

    def start(self, ready=True):
        with open(self.log, "ab") as log:
            # A pytest that is killed takes its programs along.
            command = ["setpriv", *self.identity, "--pdeathsig", "KILL", self.program, "--config", self.config, *self.arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT)
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=60):
        def ready():
            ended = self.process.poll()
            assert ended is None, f"{self.kind} {self.id} ended with {ended}: {self.log.read_text()[-LOG_SHOWN:]}"
            return self.get("/readyz").code == 200

        until(ready, timeout, f"{self.kind} {self.id} to be ready")
        return self

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as response:
                return Answer(response.status, response.read().decode(), "")
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), "")
        except OSError as error:
            return Answer(0, "", str(error))

    def metrics(self):
        """{"name{labels}": value}"""
        lines = self.get("/metrics").out.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}

    def metric(self, name, **labels):
        """The sum of the series of this name that carry these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(value for series, value in self.metrics().items() if series.partition("{")[0] == name and all(label in series for label in wanted))

    def wait_metric(self, wanted, name, timeout=20, **labels):
        """What somebody was answered is counted soon after."""
        until(lambda: self.metric(name, **labels) == wanted, timeout, f"{name} {labels or ''} to be {wanted}")

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_end(self, timeout=60):
        self.process.wait(timeout * PATIENCE)
        return self.process.returncode

    def stop(self, timeout=60):
        """As an operator does: SIGTERM, and it must end by itself with 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait_end(timeout)
        assert code == 0, f"{self.kind} {self.id} ended with {code} after SIGTERM"

    def kill(self):
        self.process.kill()
        self.wait_end()

    def usage(self):
        """CPU seconds so far, and the peak of its memory in MiB."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
        status = open(f"/proc/{self.process.pid}/status").read()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cpu, int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024

    def expect_error(self, pattern):
        self.expected_errors.append(re.compile(pattern))

    def reports(self):
        """The reports of a sanitizer; there must be none."""
        return reports(self.log.read_text(errors="replace"))

    def unexpected_errors(self):
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if "level=error" in line]
        return [line for line in lines if not any(pattern.search(line) for pattern in self.expected_errors)] + self.reports()


class Worker(Server):
    """One posthorn-worker."""

    kind = "worker"
    program = WORKER

    def own_settings(self):
        self.replica = self.directory / "data/replica.db"
        return {"worker.id": self.id, "worker.data.dir": self.replica.parent, "worker.http.listen": self.address}

    def partitions(self, state="active"):
        """Those that it has in this state."""
        wanted = re.compile(rf'posthorn_partition_state{{partition="(\d+)",state="{state}"}}')
        return [int(found[1]) for series in self.metrics() if (found := wanted.fullmatch(series))]

    def forget(self):
        """Deletes its files, except its log."""
        for file in self.replica.parent.glob("replica.db*"):
            file.unlink()


class Gateway(Server):
    """One posthorn-admin serve; `api` is where it serves the API."""

    kind = "gateway"
    program = ADMIN
    arguments = ("serve",)

    def own_settings(self):
        self.api = f"127.0.0.1:{free_port()}"
        self.data = self.directory / "data"
        return {"gateway.listen": self.api, "gateway.operations.listen": self.address, "gateway.data.dir": self.data}
