"""The fixture of the benches: a broker, a worker, cheap receivers, and commands that are encoded
once.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from env import commands
from env.avro import Schemas
from env.kafka import Broker
from env.paths import BIN
from env.programs import Worker
from env.receiver import Receivers
from env.wait import until
from env.world import World

OFFLINE = Path(__file__).with_name("offline")


class Receiver:
    """bench_receiver: ports, each with a behaviour of its own."""

    def __init__(self):
        self.process = subprocess.Popen([BIN / "bench_receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def open(self, count=1, certificate=""):
        return [int(port) for port in self.tell("open", count, certificate).split()]

    def behave(self, port, *behaviour):
        """("answer", status, delay in ms), ("part",), ("silent",) or ("refuse",)."""
        said = self.tell(behaviour[0], port, *behaviour[1:])
        assert said == "ok", said

    def counts(self):
        """{port: its counts}"""
        return {port["port"]: port for port in json.loads(self.tell("counts"))}

    def requests(self, ports):
        counts = self.counts()
        return sum(counts[port]["requests"] for port in ports)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class OfflineWorker(Worker):
    """A worker whose name server never answers, so that no question leaves the machine."""

    program = OFFLINE


class Issuer:
    """Issuance commands, encoded once: in each the id alone is new."""

    ID = "command-0000000000"

    def __init__(self, world, writer=None, **fields):
        """`fields`: more of each command than it must have."""
        self.writer, self.topic, self.encode = writer or world.writer, "credential-issuance", world.schemas.issuance.encode
        self.values, self.number, self.fields = {}, 0, fields

    def issue(self, tenant):
        head, tail = self.values.get(tenant) or self.prepare(tenant)
        self.number += 1
        self.writer.raw(self.topic, tenant, head + b"command-%010d" % self.number + tail)

    def prepare(self, tenant):
        value = self.encode(commands.issuance(tenant, command_id=self.ID, credential_id="credential", **self.fields))
        self.values[tenant] = value.split(self.ID.encode(), 1)
        return self.values[tenant]

    def issue_each(self, tenants, count):
        """Sends that many for each, one after the other, until the broker has them."""
        for _ in range(count):
            for tenant in tenants:
                self.issue(tenant)
            self.writer.producer.poll(0)
        self.flush()

    def flush(self):
        until(lambda: self.writer.producer.flush(1) == 0, 120, "the broker to take the commands")
        assert not self.writer.failures, self.writer.failures


class Stand:
    """A broker and a world of its own, with one worker as it is by default."""

    def __init__(self, world, receiver):
        self.world, self.receiver = world, receiver
        self.issuer = Issuer(self.world)
        self.worker = None

    def start(self, kind=Worker, ready=True, **settings):
        self.worker_settings = self.world.settings | {key.replace("_", "."): value for key, value in settings.items()}
        self.worker = kind(self.world.directory, "worker-1", self.worker_settings)
        self.world.workers.append(self.worker)
        self.worker.start(ready)

    def webhook(self, url):
        """A tenant with a webhook, and that one's id."""
        tenant = self.world.tenant("bench")
        made = self.world.admin.json("webhook", "create", "--tenant", tenant, "--url", url, "--events", commands.ISSUED)
        return tenant, made["id"]

    def webhooks(self, urls, **members):
        """The same for each url, or of {tenant: url}, with these members more: {tenant: webhook
        id}. Reads all results so far, for the beginning, and none that come later: the broker would
        work for that.
        """
        urls = urls if isinstance(urls, dict) else {self.world.tenant("bench"): url for url in urls}
        asked = {tenant: self.world.writer.ask(tenant, commands.create(url, **members)) for tenant, url in urls.items()}
        self.world.writer.flush()
        ends = {tenant: self.world.results.end(id, timeout=120) for tenant, id in asked.items()}
        assert all(end.status == 201 for end in ends.values()), ends
        self.world.close_reader("results")
        return {tenant: end.data["id"] for tenant, end in ends.items()}

    def delete(self, webhooks):
        for tenant, id in webhooks.items():
            self.world.writer.ask(tenant, commands.delete(id))
        self.world.writer.flush()

    def pending(self):
        return self.worker.metric("posthorn_deliveries_pending")

    def recorded(self):
        return self.worker.metric("posthorn_deliveries_total", outcome="recorded")

    def wait_pending(self, count, timeout=120):
        """Until no more than that many deliveries are pending and nothing waits on the inputs."""
        until(lambda: self.pending() <= count, timeout, f"{count} pending deliveries")

    def deliver(self, tenants, ports, count, timeout=300):
        """Issues that many for each; returns the seconds until the last was received."""
        self.receiver.tell("reset")
        start, wanted = time.monotonic(), len(tenants) * count
        self.issuer.issue_each(tenants, count)
        until(lambda: self.receiver.requests(ports) >= wanted, timeout, f"{wanted} callbacks")
        counts = self.receiver.counts()
        return max(counts[port]["last_us"] for port in ports) / 1e6 - start

    def memory(self):
        """Resident memory of the worker now, in MiB."""
        with open(f"/proc/{self.worker.process.pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Rss:")) / 1024


@contextmanager
def make_broker():
    """Every program that was started is stopped, whatever ends the bench."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="posthorn-bench."))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        broker = Broker(directory / "kafka")
        stack.callback(broker.stop)
        yield broker


@contextmanager
def make_world(receivers=0, broker=None, **options):
    """A world with topics and without a worker, on a broker of its own where none is given."""
    with ExitStack() as stack:
        broker = broker or stack.enter_context(make_broker())
        directory = Path(tempfile.mkdtemp(prefix="posthorn-bench."))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        hooks = Receivers(directory, receivers) if receivers else None
        if hooks:
            stack.callback(hooks.close)
        world = World(directory, broker.bootstrap, hooks, Schemas(), **options)
        stack.callback(world.close)
        yield world.create_topics()


@contextmanager
def stand(**options):
    with make_world(**options) as world, closing(Receiver()) as receiver:
        yield Stand(world, receiver)


class Figures:
    """A bench's figures, beside their limits."""

    def __init__(self, bench, as_json):
        self.bench, self.as_json, self.exceeded = bench, as_json, []
        self.begun = time.monotonic()

    def say(self, text=""):
        """For people."""
        if not self.as_json:
            print(text, flush=True)

    def figure(self, name, value, unit="", most=None, least=None, digits=2):
        ok = (most is None or value <= most) and (least is None or value >= least)
        if not ok:
            self.exceeded.append(name)
        limits = {key: limit for key, limit in (("most", most), ("least", least)) if limit is not None}
        if self.as_json:
            print(json.dumps({"bench": self.bench, "figure": name, "value": round(value, 4), "unit": unit, **limits, "ok": ok}), flush=True)
            return
        limit = "".join(f", at {key} {value:g}" for key, value in limits.items())
        print(f"{name}: {value:.{digits}f} {unit}".rstrip() + limit + ("" if ok else "  EXCEEDED"), flush=True)

    def end(self):
        """The load of the machine during a measurement by the clock."""
        self.say(f"{time.monotonic() - self.begun:.0f} s; load average of the last minute {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        sys.exit(1 if self.exceeded else 0)
