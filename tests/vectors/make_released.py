#!/usr/bin/env python3
"""make_released.py [VERSION]: writes tests/vectors/released-VERSION, the golden bytes of a release.

It runs the release's worker (tests/released) over a Kafka of its own, gives it commands of every
kind, and keeps what it wrote:

    state      a line for each record of webhook-state: partition, key and value in hex; a
               tombstone's value is "-"
    results    the same of webhook-results
    replica.db the worker's replica

Run it with build/.venv/bin/python. The bytes are those of that run, and are read for ever.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from env import commands  # noqa: E402
from env.avro import Schemas  # noqa: E402
from env.kafka import Broker, Reader  # noqa: E402
from env.receiver import Receivers  # noqa: E402
from env.wait import until  # noqa: E402
from env.world import World  # noqa: E402


class Raw(Reader):
    """Every record of a topic, as it is."""

    def __init__(self, world, topic):
        self.records = []
        super().__init__(world.bootstrap, world.prefix + topic)

    def take(self, message):
        self.records.append((message.partition(), message.key(), message.value()))

    def write(self, path):
        lines = [f"{partition} {key.hex()} {'-' if value is None else value.hex()}\n" for partition, key, value in self.catch_up().records]
        path.write_text("".join(lines))


def work(world, receivers):
    """Commands of every kind, and deliveries that succeed, wait and die."""
    tenant = "acme/größe%1"
    good, bad = receivers.endpoint(), receivers.endpoint().answers(500)
    first = world.webhook(tenant, good, events=[commands.ISSUED, commands.SUMMARY])
    second = world.webhook(tenant, bad)
    for operation in (
        commands.retrieve_all(limit=1),
        commands.retrieve(first["id"]),
        commands.update(first["id"], good.url + "?again"),
        commands.create("nowhere"),
        commands.send_test(first["id"]),
        commands.rotate_key(),
    ):
        world.ask(tenant, operation)
    world.results.end(world.issue(tenant, claims={"degree": "Mathematics"}, offer_id="offer-1", session_id="session-1"))
    until(lambda: world.results.poll() or world.results.counts["WEBHOOK_EVENT_PROCESS_FAIL"], 60, "a delivery to die")
    world.ask(tenant, commands.recover(second["id"]))
    world.ask(tenant, commands.delete(second["id"]))
    until(lambda: world.results.poll() or not world.state.kind("delivery"), 60, "the deleted webhook's delivery to go")
    world.webhook("pending", bad)
    world.results.end(world.issue("pending"))
    until(lambda: world.results.poll() or world.results.counts["WEBHOOK_EVENT_PROCESS_FAIL"] > 1, 60, "another delivery to die")


def main(version):
    folder = Path(subprocess.run([ROOT / "tests/released", version], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    out = ROOT / f"tests/vectors/released-{version}"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "kafka").mkdir()
        (home / "receiver").mkdir()
        broker, receivers = Broker(home / "kafka"), Receivers(home / "receiver")
        settings = {"delivery.retry.schedule": "100ms,100ms", "delivery.breaker.failures": 2}
        world = World(home, broker.bootstrap, receivers, Schemas(), settings=settings, partitions=1)
        try:
            worker = world.create_topics().released(folder)
            work(world, receivers)
            Raw(world, "webhook-state").write(out / "state")
            Raw(world, "webhook-results").write(out / "results")
            worker.stop()
            shutil.copy(worker.replica, out / "replica.db")
        finally:
            world.close()
            receivers.close()
            broker.stop()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "0.1.0")
