"""A world: topics of its own on the shared broker, its configuration, and everything a test talks
to.
"""

import base64
import json
import os

from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from . import commands
from .kafka import CommandWriter, DeadLetters, Results, State, connection, login
from .http import Client
from .programs import Admin, Gateway, Worker, write_properties
from .sanitizer import SANITIZED
from .verifier import Jwks
from .wait import until


def grant(directory, settings):
    """On a locked Kafka each user may do exactly its work, with these settings of posthorn."""
    bootstrap = settings["kafka.bootstrap.servers"]
    superuser = Admin(write_properties(directory / "superuser.properties", settings | login(bootstrap, "admin")))
    users = [part for user in ("worker", "gateway", "operator", "producer") for part in (f"--{user}", user)]
    superuser("acls", "create", *users)
    # Debian 12's librdkafka leaves it out.
    ids = AclBinding(
        ResourceType.TRANSACTIONAL_ID,
        f"{settings['group.id']}-",
        ResourcePatternType.PREFIXED,
        "User:worker",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    # Its requests end with a client that nobody holds.
    client = AdminClient(connection(bootstrap))
    client.create_acls([ids])[ids].result(20)
    until(lambda: superuser("acls", "check", *users).code == 0, 20, "the broker to know the rights")


class World:
    def __init__(self, directory, bootstrap, receivers, schemas, settings=None, partitions=4):
        self.directory, self.bootstrap, self.receivers, self.schemas = directory, bootstrap, receivers, schemas
        self.prefix = commands.unique("t") + "-"
        self.partitions = partitions
        self.workers = []
        self.readers = {}
        self.master_key = directory / "master.key"
        self.master_key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=") + b"\n")
        self.master_key.chmod(0o600)
        self.settings = {
            "kafka.bootstrap.servers": bootstrap,
            "topic.prefix": self.prefix,
            "topic.partitions": partitions,
            "group.id": f"{self.prefix}posthorn",
            "worker.master.key.file": self.master_key,
            "gateway.tokens.file": directory / "tokens",
            "endpoint.allow.http": "true",
            "endpoint.allow.networks": "127.0.0.0/8",
        } | (settings or {})
        self.admin = Admin(write_properties(directory / "admin.properties", self.settings | self.login("operator")))

    def login(self, user):
        return login(self.bootstrap, user)

    def create_topics(self):
        if self.login("admin"):
            grant(self.directory, self.settings)
        self.admin.ok("topics", "create")
        return self

    def configure(self, topic, setting, value):
        """Changes a setting of one of our topics, as somebody with other tools might have."""
        entry = ConfigEntry(setting, str(value), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.prefix + topic, incremental_configs=[entry])
        client = AdminClient(connection(self.bootstrap))
        for future in client.incremental_alter_configs([resource]).values():
            future.result(10)

    def delete_records(self, topic, partition=None, end=OFFSET_END):
        """Of a topic of ours, or one partition of it: all before an offset, as retention would."""
        name = self.prefix + topic
        client = AdminClient(connection(self.bootstrap))
        ids = [partition] if partition is not None else client.list_topics(name, timeout=10).topics[name].partitions
        for future in client.delete_records([TopicPartition(name, id, end) for id in ids]).values():
            future.result(20)

    def make_changelog_anew(self):
        """Deletes webhook-state, and makes an empty one."""
        client, topic = AdminClient(connection(self.bootstrap)), self.prefix + "webhook-state"
        client.delete_topics([topic])[topic].result(20)
        until(lambda: topic not in client.list_topics(timeout=10).topics, 20, "it is gone")
        client.create_topics([NewTopic(topic, self.partitions, 1)])[topic].result(20)
        until(lambda: topic in client.list_topics(timeout=10).topics, 20, "the broker knows it")

    def wait_in_replica(self, worker):
        """Until all that the worker has done is in its replica's file: turns share a commit."""
        mine = worker.partitions()
        lines = lambda dump: [line for line in dump.splitlines() if json.loads(line)["partition"] in mine]
        until(lambda: lines(self.admin.dump(worker.replica)) == lines(self.admin.dump()), what="the turns' commit in the replica")

    # Programs

    def worker(self, id="worker-1", ready=True, **settings):
        """Starts one; keyword names are keys with underscores for dots."""
        return self._program(Worker, id, settings).start(ready)

    def gateway(self, id="gateway-1", ready=True, **settings):
        return self._program(Gateway, id, settings).start(ready)

    def released(self, folder, id="worker-1", ready=True):
        """A worker of a release, from the folder of its programs."""
        kind = type("Released", (Worker,), {"program": folder / "posthorn-worker"})
        return self._program(kind, id, {}).start(ready)

    def _program(self, kind, id, settings):
        settings = {key.replace("_", "."): value for key, value in settings.items()}
        program = kind(self.directory, id, self.settings | self.login(kind.kind) | settings)
        self.workers.append(program)
        return program

    # Kafka, made when first asked for

    def _once(self, name, make):
        if name not in self.readers:
            self.readers[name] = make()
        return self.readers[name]

    def close_reader(self, name):
        """Reads no further. Whoever asks for it again reads from the beginning."""
        self.readers.pop(name).close()

    @property
    def writer(self):
        return self._once("writer", lambda: CommandWriter(self.bootstrap, self.prefix, self.schemas))

    @property
    def results(self):
        return self._once("results", lambda: Results(self.bootstrap, self.prefix, self.schemas))

    @property
    def state(self):
        return self._once("state", lambda: State(self.bootstrap, self.prefix, self.schemas))

    @property
    def dead_letters(self):
        return self._once("dead_letters", lambda: DeadLetters(self.bootstrap, self.prefix))

    def token(self, tenant):
        """{"id", "tenantId", "token"}"""
        return self.admin.json("token", "create", "--tenant", tenant)

    def client(self, gateway, tenant):
        """The API as the tenant sees it; returns when the gateway knows the token and the past."""
        client = Client(gateway.api, self.token(tenant)["token"])
        until(lambda: client("GET", "/v1/events").status == 200, 10, "the token and the history to be known")
        return client

    # What tests do most

    def tenant(self, stem="tenant"):
        return commands.unique(stem)

    def ask(self, tenant, operation, **fields):
        """Sends a command and waits for its outcome."""
        id = self.writer.ask(tenant, operation, **fields)
        self.writer.flush()
        return self.results.end(id)

    def webhook(self, tenant, endpoint, **fields):
        """Creates one and returns it."""
        end = self.ask(tenant, commands.create(endpoint.url, **fields))
        assert end.status == 201, end
        return end.data

    def in_every_partition(self):
        """({partition: tenant}, {tenant: endpoint}), each with a webhook."""
        tenants, endpoints = {}, {}
        while len(tenants) < self.partitions:
            tenant, endpoint = self.tenant(), self.receivers.endpoint()
            value = commands.command(tenant, commands.create(endpoint.url))
            partition, _ = self.writer.place("webhook-admin", tenant, self.schemas.command.encode(value))
            if partition not in tenants:
                tenants[partition], endpoints[tenant] = tenant, endpoint
            self.results.end(value["commandId"])
        return tenants, endpoints

    def issue(self, tenant, headers=None, **fields):
        """Sends an issuance command; returns its id without waiting."""
        id = self.writer.issuance(commands.issuance(tenant, **fields), headers)
        self.writer.flush()
        return id

    def publish(self, tenant, type, **fields):
        """Sends an event of one's own; returns its command's id without waiting."""
        id = self.writer.event(commands.own_event(tenant, type, **fields))
        self.writer.flush()
        return id

    def jwks(self, tenant):
        """From the changelog alone; the programs are not asked."""
        return Jwks(self.state.jwks(tenant))

    def delivered(self, delivery_id, last="WEBHOOK_EVENT_PROCESS_SUCCESS", timeout=20):
        """The delivery's events up to its end."""

        def ended():
            events = self.results.by_delivery[delivery_id]
            return events and events[-1].type == last and events

        return self.results.wait(ended, timeout, f"{last} of {delivery_id}")

    def close(self):
        for worker in self.workers:
            if worker.running:
                worker.kill()
        for name, reader in self.readers.items():
            if name != "writer":
                reader.close()

    def check(self):
        """A leak is told only by a worker that ends by itself."""
        for worker in self.workers if SANITIZED else []:
            if worker.running:
                worker.stop()
        errors = {worker.id: worker.unexpected_errors() for worker in self.workers}
        assert not any(errors.values()), f"errors in the workers' logs: {errors}"
