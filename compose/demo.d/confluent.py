#!/usr/bin/env python3
"""Asks for a tenant's webhooks with Confluent's client and serializers, and shows the answer.

    confluent.py KAFKA REGISTRY TENANT

KAFKA is the folder of a locked Kafka, which has the logins; REGISTRY the registry's url. The user
`producer` writes the command, `operator` reads the events.
"""

import sys
import time
import uuid
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

DEADLINE_S = 30
COMMANDS, EVENTS = "webhook-admin", "webhook-results"
SCHEMA = Path(__file__).resolve().parents[2] / "schemas/webhook-command.avsc"


def login(kafka, user):
    return dict(line.split("=", 1) for line in (kafka / f"{user}.client.properties").read_text().splitlines())


def frame(value):
    return f"{value[0]:02x} {int.from_bytes(value[1:5], 'big')}"


def send(kafka, registry, tenant):
    """Returns the command's id."""
    command = {"commandId": str(uuid.uuid4()), "tenantId": tenant, "timestamp": int(time.time() * 1000)}
    command["operation"] = ("posthorn.v1.RetrieveWebhooks", {})
    value = AvroSerializer(registry, SCHEMA.read_text())(command, SerializationContext(COMMANDS, MessageField.VALUE))
    producer = Producer(login(kafka, "producer") | {"partitioner": "murmur2_random"})
    producer.produce(COMMANDS, key=tenant, value=value)
    if producer.flush(DEADLINE_S):
        sys.exit("the command was not taken")
    print(f"   {COMMANDS}: {len(value)} bytes, frame and schema id {frame(value)}")
    return command["commandId"]


def show_events(kafka, registry, command_id):
    decode = AvroDeserializer(registry)
    # Read without the group: its id is one that the operator may ask for.
    consumer = Consumer(login(kafka, "operator") | {"group.id": "posthorn", "enable.auto.commit": False, "isolation.level": "read_committed"})
    partitions = consumer.list_topics(EVENTS, timeout=DEADLINE_S).topics[EVENTS].partitions
    consumer.assign([TopicPartition(EVENTS, partition, OFFSET_BEGINNING) for partition in partitions])
    end, type_ = time.monotonic() + DEADLINE_S, ""
    while not type_.endswith(("_SUCCESS", "_FAIL")):
        if time.monotonic() > end:
            sys.exit(f"the command had no outcome within {DEADLINE_S} s")
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        event = decode(message.value(), SerializationContext(EVENTS, MessageField.VALUE))
        if event["commandId"] == command_id:
            type_ = event["type"]
            print(f"   {EVENTS}: frame and schema id {frame(message.value())}: {type_} {event['status'] or ''}".rstrip())
    consumer.close()


def main():
    kafka, registry, tenant = Path(sys.argv[1]), SchemaRegistryClient({"url": sys.argv[2]}), sys.argv[3]
    show_events(kafka, registry, send(kafka, registry, tenant))


main()
