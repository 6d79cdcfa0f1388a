"""A run without faults: two workers, every operation, receivers that take, fail and recover. What
`check` says of it must be that all holds.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import TopicPartition
from env import commands
from env.avro import Schemas
from env.kafka import Broker
from env.partitioner import partition_of
from env.paths import ADMIN, WORKER
from env.receiver import Receivers
from env.wait import until
from env.world import World

HERE = Path(__file__).resolve().parents[1]
TENANTS, ROUNDS, CREDENTIALS, PARTITIONS = 24, 8, 400, 6
SETTINGS = {
    "delivery.retry.schedule": "1s,4s",
    "delivery.breaker.failures": 1_000_000,  # what always fails dies, and is recovered
    "delivery.succeeded.retention": "1h",
    "kafka.session.timeout.ms": 6000,
    "kafka.statistics.interval.ms": 0,
}
NOWHERE = "00000000-0000-4000-8000-000000000000"


def write_run(directory, world, broker, gateway):
    (directory / "run.json").write_text(
        json.dumps(
            {
                "bootstrap": broker.bootstrap,
                "prefix": world.prefix,
                "partitions": world.partitions,
                "group": world.settings["group.id"],
                "compaction": False,
                "clock": False,
                "admin": str(ADMIN),
                "worker": str(WORKER),
                "master_key": str(world.master_key),
                "workers": [{"id": w.id, "data_dir": str(w.replica.parent), "config": str(w.config)} for w in world.workers if w is not gateway],
                "gateway": {"data_dir": str(gateway.data), "config": str(gateway.config)},
                "receivers": [str(world.receivers.records)],
                "observed": "observed.log",
            }
        )
    )


class Load:
    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.webhooks = {}  # tenant: [id]
        self.endpoints = []

    def ask(self, tenant, operation, **fields):
        return self.world.writer.ask(tenant, operation, **fields)

    def ask_all(self, asked):
        """[(tenant, operation)]: their outcomes."""
        ids = [self.ask(*each) for each in asked]
        self.world.writer.flush()
        return [self.world.results.end(id, timeout=60) for id in ids]

    def endpoint(self, *answers):
        endpoint = self.world.receivers.endpoint(port=len(self.endpoints))
        self.endpoints.append(endpoint)
        return endpoint.answers(*answers) if answers else endpoint

    def create(self):
        tenants = [self.world.tenant("hot/100%") if n == 0 else self.world.tenant() for n in range(TENANTS)]
        asked = []
        for n, tenant in enumerate(tenants):
            answers = [(), (500, 200), (500,), (503, 503, 200)][n % 4]
            asked.append((tenant, commands.create(self.endpoint().url, (commands.ISSUED, commands.SUMMARY))))
            asked.append((tenant, commands.create(self.endpoint(*answers).url)))
            asked.append((tenant, commands.create(self.endpoint().url, disabled=n % 3 == 0)))
        for (tenant, _), end in zip(asked, self.ask_all(asked)):
            self.webhooks.setdefault(tenant, []).append(end.data["id"])

    def issue(self, count):
        tenants = list(self.webhooks)
        for _ in range(count):
            self.world.writer.issuance(commands.issuance(self.chance.choice([tenants[0], *tenants]), claims={"a": 1}))
        value = commands.issuance(tenants[1])
        for _ in range(2):
            self.world.writer.issuance(value)

    def delivery(self, tenant):
        """Any that was recorded, if one was."""
        known = self.world.results.by_delivery.items()
        return self.chance.choice([id for id, events in known if events and events[0].tenantId == tenant] or [NOWHERE])

    def operations(self):
        for tenant, ids in self.webhooks.items():
            id, url = self.chance.choice(ids), self.endpoints[self.chance.randrange(len(self.endpoints))].url
            twice = self.ask(tenant, commands.retrieve(id))
            for operation in (
                commands.retrieve(NOWHERE),
                commands.retrieve("no-id"),
                commands.retrieve_all(limit=2),
                commands.retrieve_all(limit=0),
                commands.update(id, url, (commands.SUMMARY,), disabled=self.chance.random() < 0.3),
                commands.update(id, "nowhere"),
                commands.create(url, ("Unknown",)),
                commands.send_test(id),
                commands.recover(self.chance.choice(ids)),
                commands.recover(self.chance.choice(ids), until=int(time.time() * 1000) - 2000),
                commands.recover(self.chance.choice(ids), status="succeeded", since_ms=int(time.time() * 1000) - 200),
                commands.resend(self.delivery(tenant)),
            ):
                self.ask(tenant, operation)
            self.ask(tenant, commands.retrieve(id), command_id=twice)
            self.ask(tenant, commands.rotate_key(), command_id=twice)
        tenant = self.chance.choice(list(self.webhooks))
        self.ask(tenant, commands.rotate_key())
        self.ask(tenant, commands.delete(self.chance.choice(self.webhooks[tenant])))
        self.world.writer.raw("webhook-admin", tenant, b"no command")
        listing, elsewhere = commands.command(tenant, commands.retrieve_all()), partition_of(tenant.encode(), PARTITIONS) + 1
        self.world.writer.raw("webhook-admin", tenant, self.world.schemas.command.encode(listing), partition=elsewhere % PARTITIONS)
        self.world.writer.raw("credential-issuance", b"another", self.world.schemas.issuance.encode(commands.issuance(tenant)))
        self.world.writer.flush()


def all_ended(world):
    """No delivery is pending, and no command waits."""
    state = world.state.kind("delivery")
    return all(value["status"] != "pending" for value in state.values())


def committed(world):
    consumer = world.results.consumer.__class__({"bootstrap.servers": world.bootstrap, "group.id": world.settings["group.id"]})
    inputs = [TopicPartition(world.prefix + topic, p) for topic in ("webhook-admin", "credential-issuance") for p in range(world.partitions)]
    try:
        found = consumer.committed(inputs, timeout=10)
        return all(at.offset >= consumer.get_watermark_offsets(at, timeout=10)[1] or at.offset < 0 for at in found)
    finally:
        consumer.close()


def run(directory):
    broker, receivers = Broker(directory / "kafka"), Receivers(directory)
    world = World(directory, broker.bootstrap, receivers, Schemas(), SETTINGS, PARTITIONS)
    try:
        world.create_topics()
        gateway = world.gateway()
        write_run(directory, world, broker, gateway)
        observer = subprocess.Popen([HERE / "observe", directory], stdout=subprocess.PIPE, text=True)
        assert observer.stdout.readline()
        for n in (1, 2):
            world.worker(f"worker-{n}")
        load = Load(world, 1)
        load.create()
        for _ in range(ROUNDS):
            load.issue(CREDENTIALS)
            load.operations()
        world.writer.flush()
        until(lambda: committed(world), 120, "every command to be processed")
        until(lambda: all_ended(world), 120, "every delivery's end", step=lambda: world.state.poll(0.2))
        gateway.kill()
        for worker in world.workers:
            if worker is not gateway:
                worker.stop()
        observer.send_signal(signal.SIGTERM)
        observer.wait(60)
        write_run(directory, world, broker, gateway)
        return subprocess.run([HERE / "check", directory], check=False).returncode
    finally:
        world.close()
        receivers.close()
        broker.stop()


def main():
    if len(sys.argv) > 1:
        return run(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory(prefix="posthorn-quiet-") as directory:
        return run(Path(directory))


if __name__ == "__main__":
    sys.exit(main())
