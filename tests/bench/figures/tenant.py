"""One tenant does its worst: the effect on the worker's memory and on other tenants.

In each phase a burst of that tenant's commands lies in Kafka at once. Two other tenants, one in the
same partition and one in another, list their webhooks ten times a second each; an answer's time is
from the producer's call until a read_committed reader has it.

A partition is a queue: a command in the same one waits for the commands of the burst before it,
however many they are. The limit is on the wait beyond that, from the burst's last answer before its
own, or its own production, whichever is later.
"""

import argparse
import contextlib
import json
import threading
import time
from statistics import median

from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from env import commands
from env.kafka import CommandWriter
from env.wait import until

from .stand import Figures, make_broker, stand

MEMORY_MOST_MIB, OTHERS_MOST_MS = 400, 1000
PROBE_S = 0.1
URL_BYTES = 2000


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run tenant", description=__doc__.split("\n")[0])
    parser.add_argument("--phases", default=",".join(PHASES), help="default: %(default)s")
    parser.add_argument("--scale", type=float, default=1, help="of every burst")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for a phase")
    parser.add_argument("--bootstrap", help="a Kafka that is there already")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the worker")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Probe:
    """Other tenants, who ask and wait for their answers."""

    def __init__(self, world, evil, tenants):
        self.world, self.evil, self.tenants = world, evil.encode(), tenants  # {name: tenant}
        self.writer = CommandWriter(world.bootstrap, world.prefix, world.schemas)
        self.sent = {}
        self.found = {name: [] for name in tenants}  # [(ms from its call, ms beyond the burst)]
        self.consumer = Consumer(
            {
                "bootstrap.servers": world.bootstrap,
                "group.id": "probe",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 5,
                "queued.max.messages.kbytes": 16384,
            }
        )
        topic = world.prefix + "webhook-results"
        partitions = self.consumer.list_topics(topic, timeout=10).topics[topic].partitions
        self.consumer.assign([TopicPartition(topic, id, OFFSET_END) for id in partitions])
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.read, self.ask)]
        [thread.start() for thread in self.threads]

    def read(self):
        keys = {tenant.encode(): name for name, tenant in self.tenants.items()}
        burst_at = 0
        while not self.ended.is_set():
            for message in self.consumer.consume(1000, 0.02):
                now = time.monotonic()
                if message.key() == self.evil:
                    burst_at = now
                if message.error() or message.key() not in keys:
                    continue
                event = self.world.schemas.event.decode(message.value())
                begun = self.sent.pop(event["commandId"], None) if event["status"] is not None else None
                if begun:
                    self.found[keys[message.key()]].append(((now - begun) * 1000, (now - max(begun, burst_at)) * 1000))

    def ask(self):
        while not self.ended.wait(PROBE_S):
            for tenant in self.tenants.values():
                value = commands.command(tenant, commands.retrieve_all())
                self.sent[value["commandId"]] = time.monotonic()
                self.writer.command(value)
            self.writer.producer.poll(0)

    def take(self):
        """{name: (sorted milliseconds, the same beyond the burst)} since the last call, of all that
        were sent until now.
        """
        waiting = set(self.sent)
        until(lambda: not waiting & set(self.sent), 120, "the answers of the others")
        found = {name: tuple(sorted(times) for times in zip(*pairs, strict=True)) for name, pairs in self.found.items() if pairs}
        self.found = {name: [] for name in self.tenants}
        return found

    def close(self):
        self.ended.set()
        [thread.join(5) for thread in self.threads]
        self.consumer.close()


class Bench:
    def __init__(self, stand, options):
        self.stand, self.world, self.options = stand, stand.world, options
        self.worker, self.evil = stand.worker, self.world.tenant("evil")
        self.writer = self.world.writer
        self.dead_port, self.slow_port = stand.receiver.open(2)
        stand.receiver.behave(self.dead_port, "answer", 503, 0)
        stand.receiver.behave(self.slow_port, "silent")
        partition = self.partition_of(self.evil)
        self.probe = Probe(self.world, self.evil, {"same": self.tenant_where(lambda p: p == partition), "other": self.tenant_where(lambda p: p != partition)})

    def partition_of(self, tenant):
        value = commands.command(tenant, commands.retrieve_all())
        return self.writer.place("webhook-admin", tenant, self.world.schemas.command.encode(value))[0]

    def tenant_where(self, wanted):
        while True:
            tenant = self.world.tenant("probe")
            if wanted(self.partition_of(tenant)):
                return tenant

    def count(self, number):
        return max(1, int(number * self.options.scale))

    # Bursts: each yields the commands to write, and is done when the worker has handled them.

    def admin(self, operations):
        encode = self.world.schemas.command.encode
        self.write("webhook-admin", [encode(commands.command(self.evil, operation)) for operation in operations])

    def issue(self, count, **fields):
        encode = self.world.schemas.issuance.encode
        self.write("credential-issuance", [encode(commands.issuance(self.evil, **fields)) for _ in range(count)])

    def handled(self):
        return self.worker.metric("posthorn_consumer_lag") == 0

    def write(self, topic, values):
        for value in values:
            self.writer.raw(topic, self.evil, value)
        until(lambda: self.writer.producer.flush(1) == 0, 120, "the broker to take the commands")
        time.sleep(1.2)  # the lag is looked at once a second
        until(lambda: not self.worker.running or self.handled(), self.options.timeout, "the commands to be handled")

    def urls(self, count, port=1, size=URL_BYTES):
        return [f"http://127.0.0.1:{port}/{n}/".ljust(size, "x") for n in range(count)]

    def webhooks(self):
        """Disabled ones with long urls."""
        self.admin([commands.create(url, disabled=True) for url in self.urls(self.count(4000))])

    def issuances(self):
        """For these webhooks, none of which takes it."""
        self.issue(self.count(600))

    def rotations(self):
        self.admin([commands.rotate_key() for _ in range(self.count(8000))])

    def receipts(self):
        """Commands that come to nothing but a receipt."""
        nobody = "00000000-0000-0000-0000-000000000000"
        self.admin([commands.delete(nobody) for _ in range(self.count(30000))])

    def pages(self):
        """As long as there are."""
        self.admin([commands.retrieve_all(limit=1000) for _ in range(self.count(400))])

    def make(self, urls):
        """Enabled webhooks; their ids."""
        ids = {}
        for url in urls:
            value = commands.command(self.evil, commands.create(url))
            self.writer.command(value)
            ids[value["commandId"]] = None
        self.writer.flush()
        return [self.world.results.end(id, timeout=120).data["id"] for id in ids]

    def fanout(self):
        """Each issuance is near the most that one may come to: 32 MiB of bodies."""
        self.fanned = self.make(self.urls(self.count(150), self.slow_port, 60))
        self.issue(self.count(20), credential="x" * 200_000)

    def deletions(self):
        """Of the webhooks that these wait for."""
        self.admin([commands.delete(id) for id in self.fanned])
        until(lambda: self.worker.metric("posthorn_deliveries_pending") == 0, self.options.timeout, "what was pending to end")

    def recoveries(self):
        """Of what has failed for good, again and again."""
        (id,) = self.make(self.urls(1, self.dead_port, 60))
        for _ in range(10):
            self.issue(self.count(500))
        until(lambda: self.worker.metric("posthorn_deliveries_pending") == 0, self.options.timeout, "deliveries to die")
        self.admin([commands.recover(id) for _ in range(self.count(100))])


# Their burst is in the topic in which the others ask.
SAME_QUEUE = {"webhooks", "rotations", "receipts", "pages"}
PHASES = ["webhooks", "issuances", "rotations", "receipts", "pages", "fanout", "deletions", "recoveries"]


def forget_peak(worker):
    """Source: proc(5), /proc/pid/clear_refs: 5 resets VmHWM."""
    with open(f"/proc/{worker.process.pid}/clear_refs", "w") as file:
        file.write("5\n")


def run_phase(bench, figures, name):
    bench.probe.take()
    forget_peak(bench.worker)
    begun = time.monotonic()
    getattr(bench, name)()
    if not bench.worker.running:
        figures.say(f"{name}: the worker ended with {bench.worker.process.returncode} after {time.monotonic() - begun:.1f} s")
        figures.figure(f"{name}: the worker is gone", 1, most=0)
        figures.end()
    seconds, (_, peak), found = time.monotonic() - begun, bench.worker.usage(), bench.probe.take()
    figures.say(f"{name}: {seconds:.1f} s; {(getattr(bench, name).__doc__ or '').strip()}")
    figures.figure(f"{name}: memory at its peak", peak, "MiB", most=MEMORY_MOST_MIB, digits=0)
    for who, (times, beyond) in found.items():
        is_behind = who == "same" and name in SAME_QUEUE
        where = "the same partition" if who == "same" else "another partition"
        figures.figure(f"{name}: tenant of {where}, p50", median(times), "ms", digits=0)
        figures.figure(f"{name}: tenant of {where}, slowest of {len(times)}", times[-1], "ms", most=None if is_behind else OTHERS_MOST_MS, digits=0)
        if is_behind:
            figures.figure(f"{name}: tenant of {where}, slowest beyond the burst", beyond[-1], "ms", most=OTHERS_MOST_MS, digits=0)


@contextlib.contextmanager
def broker_of(options):
    if not options.bootstrap:
        with make_broker() as broker:
            yield broker
        return
    yield argparse.Namespace(bootstrap=options.bootstrap)


def main():
    options = arguments()
    figures = Figures("tenant", options.json)
    settings = {"delivery.retry.schedule": "100ms", "delivery.breaker.failures": 1_000_000}
    with broker_of(options) as broker, stand(broker=broker, settings=settings) as on:
        on.start(**dict(pair.split("=", 1) for pair in options.set))
        bench = Bench(on, options)
        time.sleep(2)
        for name in options.phases.split(","):
            run_phase(bench, figures, name)
        bench.probe.close()
        figures.say(json.dumps({k: v for k, v in on.worker.metrics().items() if "posthorn_transactions_total" in k}))
    figures.end()


if __name__ == "__main__":
    main()
