"""Those who are compared by `peers`: the floor, a worker in Go, and posthorn.

A contestant gets a course: records that wait in Kafka before it starts, and the endpoints that
their callbacks are for. The bodies of all have the same form and length; the floor's requests are
as long as posthorn's.
"""

import base64
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient, NewTopic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from env import commands
from env.kafka import Broker, CommandWriter
from env.partitioner import partition_of
from env.paths import BIN, ROOT
from env.verifier import Jwks, jwk
from env.wait import until

from .senders import send
from .stand import Issuer, Stand, make_world

ENDPOINTS, CONNECTIONS, PARTITIONS = 16, 16, 12  # connections to each endpoint
FAST, HUNG, DOWN = "fast", "hung", "down"
GO_SOURCE, GO_WORKER = Path(__file__).parent.parent / "peers/go", ROOT / "build/peers/go-worker"

SETTINGS = {"delivery.max.connections.per.host": CONNECTIONS, "delivery.retry.schedule": "5s,5s,5s", "delivery.retry.jitter": 0}
# As much as an issuer says of one.
CREDENTIAL = dict(
    user_id="00000000-0000-4000-8000-00000000aaaa",
    session_id="00000000-0000-4000-8000-00000000bbbb",
    claims={"given_name": "Ada", "family_name": "Lovelace"},
    credential="f" * 200,
)


def tenants(ports, count):
    """{name: port of its endpoint}: as many of each endpoint, and in each partition. The last
    digits of a name choose the endpoint.
    """
    found, serial = {}, 0
    while len(found) < count:
        group, n = divmod(len(found), len(ports))
        name = f"00000000-0000-4000-8000-{serial * len(ports) + n:012d}"
        serial += 1
        if partition_of(name.encode(), PARTITIONS) == (5 * group + n) % PARTITIONS:
            found[name] = ports[n]
    return found


@dataclass
class Course:
    broker: Broker
    ports: list  # of the endpoints; of one that fails, the last
    tenants: dict  # {name: port of the endpoint}
    records: int  # as many of each tenant
    event: bytes = b""  # of a callback of posthorn's: a record of the Go worker
    request_bytes: int = 0  # of a callback of posthorn's
    topics: dict = field(default_factory=dict)  # of those who keep one from run to run

    @property
    def each(self):
        return self.records // len(self.tenants)


@dataclass
class Running:
    """A contestant at work."""

    process: subprocess.Popen
    settled: callable  # whether it has recorded the end of every delivery
    jwks: callable


class Floor:
    """Not a worker: requests from memory, by one loop. It measures itself."""

    name, scenarios = "floor", (FAST,)

    def prepare(self):
        pass

    def send(self, course):
        """Its figures. The first half is its warm-up, as everybody's."""
        half = course.records // 2
        options = dict(hosts=ENDPOINTS, connections=CONNECTIONS, bytes=course.request_bytes)
        return send("bench_floor", course.ports, deliveries=half, warm_up=course.records - half, **options)

    @contextmanager
    def running(self, course):
        figures = self.send(course)
        yield Running(None, lambda: True, lambda: Jwks({"keys": [jwk(figures["public_key"])]}))


class GoWorker:
    """peers/go: at least once, and it records its offsets alone."""

    name, scenarios = "go", (FAST, HUNG, DOWN)
    SEED = bytes([1] * 32)

    def prepare(self):
        """Builds it. Go has a cache of its own."""
        command = ["go", "build", "-o", GO_WORKER, "."]
        try:
            built = subprocess.run(command, cwd=GO_SOURCE, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise SystemExit(f"peers: {error}; --contestants floor,posthorn needs no Go") from error
        if built.returncode:
            raise SystemExit(f"peers: the Go worker is not built; --contestants floor,posthorn does without\n{built.stderr}")

    def load(self, course):
        """Its topic, which each run reads from the beginning, with a group of its own."""
        topic = commands.unique("go")
        client = AdminClient({"bootstrap.servers": course.broker.bootstrap})
        [made] = client.create_topics([NewTopic(topic, PARTITIONS, 1)]).values()
        made.result(20)
        writer = CommandWriter(course.broker.bootstrap, "", None)
        for _ in range(course.each):
            for tenant in course.tenants:
                writer.raw(topic, tenant, course.event)
            writer.producer.poll(0)
        until(lambda: writer.producer.flush(1) == 0, 120, "the broker to take the records")
        assert not writer.failures, writer.failures
        return topic

    @contextmanager
    def running(self, course):
        topic = course.topics.get(self.name) or course.topics.setdefault(self.name, self.load(course))
        group = commands.unique("go")
        options = {
            "bootstrap": course.broker.bootstrap,
            "topic": topic,
            "group": group,
            "ports": ",".join(map(str, course.ports)),
            "connections": CONNECTIONS,
            "seed": self.SEED.hex(),
        }
        command = ["setpriv", "--pdeathsig", "KILL", GO_WORKER, *(f"-{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command)
        client = AdminClient({"bootstrap.servers": course.broker.bootstrap})
        try:
            yield Running(process, lambda: self.committed(client, group) == course.records, self.jwks)
        finally:
            process.kill()
            process.wait()

    def committed(self, client, group):
        """Of all its partitions together."""
        [answer] = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        return sum(max(partition.offset, 0) for partition in answer.result(20).topic_partitions)

    def jwks(self):
        public = Ed25519PrivateKey.from_private_bytes(self.SEED).public_key().public_bytes_raw()
        return Jwks({"keys": [jwk(base64.urlsafe_b64encode(public).rstrip(b"=").decode())]})


class Posthorn:
    """The whole worker, as it is by default but for what the Go worker has too: connections, and a
    schedule of retries.
    """

    name, scenarios = "posthorn", (FAST, HUNG, DOWN)

    def prepare(self):
        assert (BIN / "posthorn-worker").exists(), f"no programs in {BIN}"

    @contextmanager
    def running(self, course):
        """Each run has topics of its own, and a worker that finds its webhooks in its replica."""
        with make_world(broker=course.broker, partitions=PARTITIONS, settings=SETTINGS) as world:
            on = Stand(world, None)
            on.start()
            on.webhooks({tenant: f"http://127.0.0.1:{port}/hook" for tenant, port in course.tenants.items()})
            on.worker.stop()
            Issuer(world, **CREDENTIAL).issue_each(course.tenants, course.each)
            on.worker.start(ready=False)
            succeeded = lambda: on.worker.metric("posthorn_deliveries_total", outcome="succeeded")
            yield Running(on.worker.process, lambda: succeeded() >= course.records, lambda: self.jwks(world, course))

    def jwks(self, world, course):
        return Jwks({"keys": [key for tenant in course.tenants for key in world.state.jwks(tenant)["keys"]]})
