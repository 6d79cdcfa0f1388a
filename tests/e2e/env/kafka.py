"""The broker, its producers and its readers: always as a stranger would, with confluent-kafka."""

import base64
import contextlib
import os
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

from . import avro
from .commands import command
from .paths import KAFKA, free_ports
from .wait import until


INPUTS = ("webhook-admin", "credential-issuance", "webhook-events")


# tests/run versions names another one than compose/kafka's own.
VERSION = ["--version", os.environ["POSTHORN_TEST_KAFKA"]] if "POSTHORN_TEST_KAFKA" in os.environ else []


class Broker:
    """A Kafka of our own by compose/kafka, with settings of its own where a test needs them."""

    def __init__(self, directory, settings=None, arguments=("--port", "0")):
        self.directory, self.arguments = directory, arguments
        self.log = directory / "log/node-1.log"
        self.start(settings)

    def start(self, settings=None):
        command = [KAFKA, "start", *self.arguments, "--dir", self.directory, *VERSION]
        if settings:
            file = self.directory / "settings"
            file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
            command += ["--settings", file]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        self.bootstrap = answer.stdout.strip()

    @property
    def version(self):
        return tuple(map(int, (self.directory / "version").read_text().split(".")))

    def stop(self):
        subprocess.run([KAFKA, "stop", "--dir", self.directory], check=True, capture_output=True)

    def set_quota(self, client_id, **quotas):
        """Of all clients with this client.id, as an operator sets it: a value, or None for none.
        librdkafka has no call for it; Kafka's own program is taken from the running broker's jars.
        """
        running = Path(f"/proc/{(self.directory / 'node-1/pid').read_text().strip()}/cmdline").read_text().split("\0")
        classpath = running[running.index("-cp") + 1]
        added = ",".join(f"{name}={value}" for name, value in quotas.items() if value is not None)
        deleted = ",".join(name for name, value in quotas.items() if value is None)
        changes = [part for flag, names in (("--add-config", added), ("--delete-config", deleted)) if names for part in (flag, names)]
        tool = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath, "kafka.admin.ConfigCommand"]
        entity = ["--entity-type", "clients", "--entity-name", client_id]
        answer = subprocess.run([*tool, "--bootstrap-server", self.bootstrap, "--alter", *entity, *changes], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr


@dataclass
class Logins:
    """Those that compose/kafka --secure left in its folder: TLS, SASL, and no right without an
    ACL.
    """

    directory: Path
    bootstrap: str

    def login(self, user):
        """A program's settings to be this user."""
        return _properties(self.directory / f"{user}.properties")

    def client(self, user):
        """Those of a client of the tests, whose librdkafka can log in by SCRAM."""
        return _properties(self.directory / f"{user}.client.properties") | {"sasl.mechanism": "SCRAM-SHA-512"}


def _properties(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


# The logins of the session's Kafka, where that is a locked one.
session = SimpleNamespace(locked=None)


def login(bootstrap, user):
    """The settings of a program of ours to be this user, where the broker is a locked one."""
    locked = session.locked
    return locked.login(user) if locked and locked.bootstrap == bootstrap else {}


def connection(bootstrap, user="admin"):
    """How the tests' own clients reach a broker: a locked one as this user."""
    locked = session.locked
    return locked.client(user) if locked and locked.bootstrap == bootstrap else {"bootstrap.servers": bootstrap}


class SecuredBroker(Broker):
    """A broker with authentication and authorisation. `bootstrap` is for the tests, which may do
    everything; `secured` is for `users`, each with a password that equals the name, and without any
    right.
    """

    def __init__(self, directory, users):
        self.users = users
        port = free_ports(3)
        # The further listener advertises its own port.
        super().__init__(directory, self.settings(), ["--port", str(port), "--proxy", str(port + 2)])
        self.secured = f"127.0.0.1:{port + 2}"

    def settings(self, password="{}"):
        logins = " ".join(f'user_{user}="{password.format(user)}"' for user in self.users)
        return {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_PLAINTEXT",
            "listener.name.proxied.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.proxied.plain.sasl.jaas.config": f"org.apache.kafka.common.security.plain.PlainLoginModule required {logins};",
        }

    def restart(self, **password):
        """With other passwords for its users: a pattern in which {} is the name."""
        self.stop()
        self.start(self.settings(**password))

    @staticmethod
    def login(user):
        """A program's settings to be this user."""
        return {
            "kafka.security.protocol": "SASL_PLAINTEXT",
            "kafka.sasl.mechanism": "PLAIN",
            "kafka.sasl.username": user,
            "kafka.sasl.password": user,
        }

    def allow(self, user, *rights):
        """Each right is (resource type, name, operation); a name that ends with * is a prefix."""
        self._create([self._binding(user, *right) for right in rights])

    def _create(self, bindings):
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in client.create_acls(bindings).values():
            future.result(20)
        known = lambda: set(client.describe_acls(self._all_of(bindings[0].principal.removeprefix("User:"))).result(20))
        until(lambda: set(bindings) <= known(), what="the broker knows the rights")

    def deny(self, user, right):
        binding = self._binding(user, *right, permission=AclPermissionType.DENY)
        self._create([binding])

    def rights(self, user):
        """Those that it has, as `allow` takes them."""
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        bindings = client.describe_acls(self._all_of(user)).result(20)
        named = lambda binding: binding.name + ("*" if binding.resource_pattern_type == ResourcePatternType.PREFIXED else "")
        return {(_kind(binding.restype), named(binding), binding.operation.name) for binding in bindings}

    def take(self, user, right):
        """Takes one right away."""
        kind, name, operation = right
        wanted = self._binding(user, kind, name, operation)
        only = AclBindingFilter(wanted.restype, wanted.name, wanted.resource_pattern_type, wanted.principal, None, wanted.operation, AclPermissionType.ALLOW)
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in client.delete_acls([only]).values():
            future.result(20)
        until(lambda: right not in self.rights(user), what="the broker to forget the right")

    def forbid(self, user):
        """Takes all rights of the user away."""
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in client.delete_acls([self._all_of(user)]).values():
            future.result(20)
        until(lambda: not client.describe_acls(self._all_of(user)).result(20), what="the broker to forget the rights")

    @staticmethod
    def _all_of(user):
        return AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY)

    @staticmethod
    def _binding(user, kind, name, operation, permission=AclPermissionType.ALLOW):
        pattern = ResourcePatternType.PREFIXED if name.endswith("*") and name != "*" else ResourcePatternType.LITERAL
        return AclBinding(
            ResourceType.BROKER if kind == "CLUSTER" else ResourceType[kind],
            name.rstrip("*") or "*",
            pattern,
            f"User:{user}",
            "*",
            AclOperation[operation],
            permission,
        )


def _kind(resource):
    return "CLUSTER" if resource == ResourceType.BROKER else resource.name


class CommandWriter:
    """A producer as docs/api.md asks for: keyed by tenant with Java's partitioner."""

    def __init__(self, bootstrap, prefix, schemas, **settings):
        self.bootstrap, self.prefix, self.schemas = bootstrap, prefix, schemas
        self.failures = []
        self.unplaced = []  # records that are told as written without an offset: see _report
        self.settings = settings
        self.producer = self._made_by("producer")
        self.planter = None

    def _made_by(self, user):
        return Producer(
            connection(self.bootstrap, user)
            | {
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 1,
                "message.max.bytes": 4_000_000,
                "queue.buffering.max.messages": 1_000_000,
            }
            | self.settings
        )

    def _producer_of(self, topic):
        """What is no command is planted by somebody with every right."""
        if topic in INPUTS or not session.locked:
            return self.producer
        if not self.planter:
            self.planter = self._made_by("admin")
        return self.planter

    @contextlib.contextmanager
    def compressing(self, max_bytes=4_000_000):
        """The same, with compression: its records may be larger than their topic's limit."""
        settings = {"compression.type": "gzip", "message.max.bytes": max_bytes}
        yield CommandWriter(self.bootstrap, self.prefix, self.schemas, **settings)

    def raw(self, topic, key, value, headers=None, partition=None):
        """Any record at all."""
        extra = {} if partition is None else {"partition": partition}
        producer = self._producer_of(topic)
        while True:
            try:
                producer.produce(self.prefix + topic, key=key, value=value, headers=headers or [], on_delivery=self._report, **extra)
                return
            except BufferError:
                producer.poll(0.1)

    def place(self, topic, key, value, **options):
        """Writes one record and returns where it lies: (partition, offset)."""
        placed = []
        extra = {} if "partition" not in options else {"partition": options["partition"]}
        producer = self._producer_of(topic)
        producer.produce(
            self.prefix + topic,
            key=key,
            value=value,
            headers=options.get("headers", []),
            on_delivery=lambda error, message: placed.append(error or (message.partition(), message.offset())),
            **extra,
        )
        producer.flush(30)
        assert isinstance(placed[0], tuple), placed
        return placed[0]

    def _report(self, error, message):
        """librdkafka takes a broker's DUPLICATE_SEQUENCE_NUMBER for a success without an offset.
        After a broker's death such a record may be nowhere.
        """
        if error:
            self.failures.append(error)
        elif message.offset() is None:
            self.unplaced.append(message)

    def flush(self):
        for producer in filter(None, (self.producer, self.planter)):
            assert producer.flush(30) == 0, "records were not taken by the broker"
        assert not self.failures, self.failures

    def command(self, value, headers=None):
        self.raw("webhook-admin", value["tenantId"], self.schemas.command.encode(value), headers)
        return value["commandId"]

    def issuance(self, value, headers=None):
        self.raw("credential-issuance", value["tenantId"], self.schemas.issuance.encode(value), headers)
        return value["commandId"]

    def event(self, value, headers=None):
        self.raw("webhook-events", value["tenantId"], self.schemas.own_event.encode(value), headers)
        return value["commandId"]

    def ask(self, tenant, operation, **fields):
        return self.command(command(tenant, operation, **fields))


class Reader:
    """A read_committed reader of a whole topic from its beginning, without a group."""

    def __init__(self, bootstrap, topic):
        self.topic = topic
        self.consumer = Consumer(
            connection(bootstrap)
            | {
                "group.id": "reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "fetch.queue.backoff.ms": 5,
            }
        )
        # Asked on a connection of its own: behind a fetch it would wait for that.
        self.admin = AdminClient(connection(bootstrap))
        self.partitions = sorted(self.consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        self.reached = dict.fromkeys(self.partitions, 0)
        self.consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in self.partitions])

    def poll(self, timeout=0.05):
        """Reads the available records. The end of a partition is reported too, also behind the
        markers of transactions.
        """
        first = self.consumer.poll(timeout)
        for message in [first, *self.consumer.consume(5000, 0)] if first is not None else []:
            error = message.error()
            if error is None:
                self.reached[message.partition()] = message.offset() + 1
                self.take(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self.reached[message.partition()] = message.offset()
            else:
                self.refuse(error)

    def take(self, message):
        raise NotImplementedError

    def refuse(self, error):
        raise AssertionError(f"{self.topic}: {error}")

    def wait(self, condition, timeout=20, what="records"):
        return until(condition, timeout, f"{what} on {self.topic}", step=self.poll)

    def catch_up(self, timeout=30):
        """Reads everything that was committed before this call."""
        asked = self.admin.list_offsets({TopicPartition(self.topic, p): OffsetSpec.latest() for p in self.partitions})
        ends = {at.partition: answer.result().offset for at, answer in asked.items()}

        def there():
            return all(self.reached[partition] >= end for partition, end in ends.items())

        self.wait(there, timeout, "the end")
        return self

    def close(self):
        self.consumer.close()


@dataclass(slots=True)
class Event:
    """An AnalyticEvent, and the record that it came in."""

    fields: dict
    kind: str  # of data: "Webhook", "Problem", ...; None without
    key: str
    partition: int
    offset: int
    headers: dict
    seen: float

    def __getattr__(self, name):
        return self.fields[name]

    @property
    def data(self):
        return avro.plain(self.fields["data"])

    @property
    def milliseconds(self):
        return avro.plain(self.fields["timestamp"])


class Results(Reader):
    """webhook-results, by command and by delivery."""

    def __init__(self, bootstrap, prefix, schemas):
        self.schema = schemas.event
        self.events = []
        self.by_command = defaultdict(list)
        self.by_delivery = defaultdict(list)
        self.counts = defaultdict(int)
        super().__init__(bootstrap, prefix + "webhook-results")

    def take(self, message):
        value = message.value()
        fields = avro.event_from_json(value) if value.startswith(b"{") else self.schema.decode(value)
        headers = {name: value.decode() for name, value in message.headers() or []}
        data = fields["data"] or next((pair for pair in map(fields.get, ("published", "secret")) if pair), None)
        fields["data"] = data
        kind = avro.branch(data)
        event = Event(fields, kind, (message.key() or b"").decode(), message.partition(), message.offset(), headers, time.time())
        self.events.append(event)
        self.counts[fields["type"]] += 1
        if fields["type"].startswith("WEBHOOK_EVENT_") and "_PUBLISH_" not in fields["type"]:
            self.by_delivery[data[1]["deliveryId"]].append(event)
        else:
            self.by_command[fields["commandId"]].append(event)

    def of(self, command_id, ends=1, timeout=20):
        """The command's own events once it has ended (`ends` times, if it was sent again)."""

        def ended():
            events = self.by_command[command_id]
            return sum(not event.type.endswith("_START") for event in events) >= ends and events

        return list(self.wait(ended, timeout, f"outcome of {command_id}"))

    def end(self, command_id, timeout=20):
        """The command's outcome, after a check: one START, then one SUCCESS or FAIL."""
        start, end = self.of(command_id, timeout=timeout)
        subject, _, step = end.type.rpartition("_")
        assert start.type == f"{subject}_START" and step in ("SUCCESS", "FAIL"), (start, end)
        assert start.status is None and start.kind is None, start
        assert (start.key, end.key) == (start.tenantId, end.tenantId)
        return end

    def deliveries(self, tenant):
        """Delivery id to event types, of this tenant."""
        return {id: [event.type for event in events] for id, events in self.by_delivery.items() if events[0].tenantId == tenant}


@dataclass(slots=True)
class DeadLetter:
    key: bytes
    value: bytes
    headers: dict  # the original's text and ours, as bytes

    @property
    def reason(self):
        return self.headers["posthorn.error.reason"].decode()


class DeadLetters(Reader):
    def __init__(self, bootstrap, prefix):
        self.letters = []
        super().__init__(bootstrap, prefix + "webhook-dead-letters")

    def take(self, message):
        self.letters.append(DeadLetter(message.key(), message.value(), dict(message.headers() or [])))

    def of(self, topic, offset, partition):
        """The dead letter of this record."""

        def found():
            for letter in self.letters:
                at = tuple(letter.headers[f"posthorn.error.{name}"].decode() for name in ("topic", "partition", "offset"))
                if at == (topic, str(partition), str(offset)):
                    return letter
            return None

        return self.wait(found, what=f"the dead letter of {topic}[{partition}]@{offset}")


@dataclass(slots=True)
class Input:
    """A record of an input, as it lies there."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: list  # [(name, bytes)]
    timestamp: tuple  # (kind, ms)

    @property
    def rerouted_from(self):
        """(partition, offset) where it was handed on from, or None."""
        place = dict(self.headers).get("posthorn.rerouted.from")
        return place and tuple(map(int, place.split(b":")))


class Inputs(Reader):
    """webhook-admin or credential-issuance."""

    def __init__(self, bootstrap, topic):
        self.records = []
        super().__init__(bootstrap, topic)

    def take(self, message):
        self.records.append(Input(message.partition(), message.offset(), message.key(), message.value(), message.headers() or [], message.timestamp()))


class State(Reader):
    """webhook-state folded, as compaction will leave it: the decoded record of each key."""

    def __init__(self, bootstrap, prefix, schemas):
        self.schema = schemas.state
        self.values = {}
        self.written = defaultdict(dict)  # by partition: {offset: (key, whether it has a value)}
        super().__init__(bootstrap, prefix + "webhook-state")

    def take(self, message):
        key = message.key().decode()
        self.written[message.partition()][message.offset()] = (key, message.value() is not None)
        key = (key, message.partition()) if key == "position" else key
        if message.value() is None:
            self.values.pop(key, None)
        else:
            self.values[key] = message.value()

    def kind(self, kind, tenant=None):
        """{key: record} of "webhook", "key", "delivery" or "receipt", as it is now."""
        self.catch_up()
        prefix = f"{kind}/{tenant}/" if tenant else f"{kind}/"
        return {key: avro.plain(self.schema.decode(value)["state"]) for key, value in self.values.items() if isinstance(key, str) and key.startswith(prefix)}

    def written_together(self, key):
        """The records that the transaction of the tombstone of `key` had written before it, as
        (key, whether it has a value). A transaction's end takes an offset.
        """
        self.catch_up()
        for written in self.written.values():
            for offset, record in written.items():
                if record == (key, False):
                    together = []
                    while (offset := offset - 1) in written:
                        together.append(written[offset])
                    return together
        raise AssertionError(f"no tombstone of {key}")

    def registry(self, tenant):
        """The state that a refused command must leave as it was."""
        return self.kind("webhook", tenant) | self.kind("key", tenant)

    def jwks(self, tenant):
        """The JWKS as the changelog alone gives it: the public keys, the highest epoch first."""
        keys = sorted(self.kind("key", tenant).values(), key=lambda key: -key["epoch"])
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": base64.urlsafe_b64encode(key["x"]).rstrip(b"=").decode(),
                    "use": "sig",
                    "kid": key["kid"],
                }
                for key in keys
            ]
        }
