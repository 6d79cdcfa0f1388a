"""From Kafka, the receivers' files, the replicas and the observer's notes to a History. Judges
nothing.
"""

import hashlib
import json
import sys

import fastavro
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from env import avro
from env.kafka import Reader, connection, login
from env.offsets import metadata_of
from env.partitioner import partition_of
from env.programs import Admin, write_properties
from env.receiver import scan

from .history import ADMIN, ISSUANCE, OWN, Callback, Change, Command, Event, History, Offset, Sighting
from .gateways import told
from .restored import restored_dump
from .told import tenants

_REROUTED_FROM, _RESUMED_FROM = "posthorn.rerouted.from", "posthorn.resumed.from"
_ENVELOPE = ("requestId", "clientId", "timestamp")


def _without_logical_types(definition):
    if isinstance(definition, dict):
        return {name: _without_logical_types(value) for name, value in definition.items() if name != "logicalType"}
    if isinstance(definition, list):
        return [_without_logical_types(item) for item in definition]
    return definition


def _schema(name):
    """Times stay milliseconds, in both editions."""
    schema = avro.Schema.load(name)
    for edition in filter(None, (schema, schema.first)):
        edition.parsed = fastavro.parse_schema(_without_logical_types(edition.definition))
    return schema


class _Collector(Reader):
    def __init__(self, run, topic, decode):
        self.decode, self.found = decode, []
        super().__init__(run.bootstrap, run.prefix + topic)

    def take(self, message):
        self.found.append(self.decode(message))


def _read(run, topic, decode):
    reader = _Collector(run, topic, decode)
    reader.catch_up(timeout=600)
    reader.close()
    return reader.found


def _note_way(command, message):
    """Where it came from, and all that must not change on its way."""
    headers = message.headers() or []
    place = dict(headers).get(_REROUTED_FROM)
    command.resumes = _RESUMED_FROM in dict(headers)
    command.came_from = tuple(map(int, place.split(b":"))) if place and not command.resumes else None
    others = [header for header in headers if header[0] not in (_REROUTED_FROM, _RESUMED_FROM)]
    command.content = hashlib.blake2b(repr((message.key(), message.value(), others, message.timestamp())).encode(), digest_size=16).digest()


def _command(topic, schema, limit, partitions):
    def decode(message):
        command = Command(topic, message.partition(), message.offset())
        _note_way(command, message)
        try:
            fields = schema.decode(message.value())
        except Exception:  # whatever fastavro raises for bytes that are no command
            return command
        if len(message.value()) > limit or (message.key() or b"").decode(errors="replace") != fields["tenantId"]:
            return command
        command.tenant, command.id = fields["tenantId"], fields["commandId"]
        if partition_of(message.key(), partitions) != message.partition():
            command.misplaced = True
            return command
        command.envelope = {name: fields[name] for name in _ENVELOPE}
        if topic == ADMIN:
            command.operation, command.fields = avro.branch(fields["operation"]), avro.plain(fields["operation"])
        else:
            command.operation = "IssueCredential" if topic == ISSUANCE else "PublishEvent"
            command.fields = {name: value for name, value in fields.items() if name not in (*_ENVELOPE, "commandId", "tenantId")}
        return command

    return decode


def _event(schema):
    def decode(message):
        fields = schema.decode(message.value())
        data = avro.plain(fields["data"] or fields.get("published") or fields.get("secret"))
        for name in ("deliveryId", "webhookId"):
            if data and name in data:
                data[name] = sys.intern(data[name])  # each comes many times
        return Event(
            message.partition(),
            message.offset(),
            fields["id"],
            fields["type"],
            fields["tenantId"],
            fields["timestamp"],
            fields["commandId"],
            fields["repeat"],
            fields["status"],
            data,
        )

    return decode


def _change(schema):
    latest = {}  # of each delivery

    def decode(message):
        value = None if message.value() is None else avro.plain(schema.decode(message.value())["state"])
        change = Change(message.partition(), message.offset(), message.timestamp()[1], message.key().decode(), value)
        if change.kind == "delivery":
            # Bodies are most of the memory: of what is superseded only that it was there is kept.
            before = latest.get(change.key)
            if before and before.value:
                before.value = {}
            latest[change.key] = change
        return change

    return decode


def _dead_letter(prefix):
    def decode(message):
        headers = dict(message.headers() or [])
        topic, partition, offset = (headers[f"posthorn.error.{name}"].decode() for name in ("topic", "partition", "offset"))
        return topic.removeprefix(prefix), int(partition), int(offset)

    return decode


def _callback(request):
    headers, body = request.headers, json.loads(request.body)
    return Callback(
        request.time,
        sys.intern(headers["webhook-id"]),
        int(headers["webhook-timestamp"]),
        sys.intern(body["deliveryId"]),
        sys.intern(body["webhookId"]),
        sys.intern(body["event"]["id"]),
        hashlib.blake2b(request.body, digest_size=16).digest(),
        request.answered,
    )


def _callbacks(run):
    found = []
    for name in run.receivers:
        found += [_callback(request) for _, request in scan(run.path(name).read_bytes())]
    return sorted(found, key=lambda callback: callback.time)


def _sightings(run):
    found = []
    with open(run.path(run.observed)) as file:
        for line in file:
            time, topic, partition, offset, name = line.rstrip("\n").split(" ", 4)
            found.append(Sighting(float(time), topic, int(partition), int(offset), json.loads(name) if topic == "state" else name))
    return found


def _metadata(at, history):
    """Compared by its beginning, since bytes may be shown behind its end."""
    text = metadata_of(at).decode(errors="replace")
    last = history.positions.get(at.partition, [None])[-1]
    wanted = f"{last.value['storeId']}/{last.value['sequence']}" if last else ""
    return wanted if text.startswith(wanted) else text


def _offsets(client, run, history):
    inputs = [TopicPartition(run.prefix + topic, p) for topic in (ADMIN, ISSUANCE, OWN) for p in range(run.partitions)]
    answer = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(run.group, inputs)], require_stable=True)
    committed = answer[run.group].result(30).topic_partitions
    return {(at.topic.removeprefix(run.prefix), at.partition): Offset(at.offset, _metadata(at, history)) for at in committed if at.offset >= 0}


def admin_of(run):
    """posthorn-admin, straight to the brokers."""
    settings = run.properties | {"kafka.bootstrap.servers": run.bootstrap} | login(run.bootstrap, "operator")
    admin = Admin(write_properties(run.path("check-admin.properties"), settings))
    admin.program = run.path(run.admin)
    return admin


def _replicas(run, admin, say):
    """A file that a fault left unreadable counts as none: then another worker has to hold its
    partitions.
    """
    dumps = {}
    for worker in run.workers:
        answer = admin("state", "dump", "--replica", worker.replica, timeout=600)
        if answer.code == 0:
            dumps[worker.id] = answer.out
        else:
            say(f"no replica of {worker.id}: {answer.err.strip()[-200:]}")
    return dumps


def read(run, say=lambda line: None):
    client = AdminClient(connection(run.bootstrap))
    history = History(client.list_topics(timeout=30).cluster_id, run.prefix, run.partitions, run.settings, bool(run.compaction), bool(run.clock))
    history.released = bool(run.members.get("released"))
    limit = int(run.properties.get("command.max.bytes", 524_288))
    say("reading the topics")
    for topic, schema in ((ADMIN, "webhook-command"), (ISSUANCE, "credential-issuance-command"), (OWN, "event-command")):
        history.commands += _read(run, topic, _command(topic, _schema(schema), limit, run.partitions))
    history.commands.sort(key=lambda command: command.place)
    history.dead_letters = _read(run, "webhook-dead-letters", _dead_letter(run.prefix))
    history.events = sorted(_read(run, "webhook-results", _event(_schema("analytic-event"))), key=lambda event: event.place)
    history.changes = sorted(_read(run, "webhook-state", _change(_schema("state-record"))), key=lambda c: (c.partition, c.offset))
    history.offsets = _offsets(client, run, history)
    say("reading the receivers' records and the observer's")
    history.callbacks, history.sightings = _callbacks(run), _sightings(run)
    say("dumping the replicas")
    admin = admin_of(run)
    history.dump = admin.ok("state", "dump", timeout=600)
    history.replicas = _replicas(run, admin, say)
    say("asking the gateways")
    history.gateways = told(run, tenants(history))
    say("restoring a replica from nothing")
    history.restored, history.dump_then = restored_dump(run, admin)
    return history
