"""A group's offsets, set by hand as docs/operating.md has it."""

import re

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from .kafka import connection
from .paths import ROOT
from .wait import until

COMMAND = re.compile(r"^ *kafka-consumer-groups\.sh (?:[^\n]*\\\n)+[^\n]*", re.MULTILINE)


def documented_topics():
    """Those that the document's commands name, all of them the same."""
    commands = COMMAND.findall((ROOT / "docs/operating.md").read_text())
    (topics,) = {tuple(sorted(re.findall(r"--topic (\S+)", command))) for command in commands}
    return topics


def _admin(world):
    return AdminClient(connection(world.bootstrap)), world.settings["group.id"]


def wait_left(world):
    """Until the sessions of workers that were stopped have ended."""
    client, group = _admin(world)
    until(lambda: client.describe_consumer_groups([group])[group].result(20).state == ConsumerGroupState.EMPTY, 30, "the end of the session")


def read_offsets(world):
    client, group = _admin(world)
    return client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(20).topic_partitions


def metadata_of(place):
    """Its bytes. librdkafka does not terminate them, so that its Python client may show more behind
    their end, and those may be no text.
    """
    try:
        return (place.metadata or "").encode()
    except UnicodeDecodeError as error:
        return error.object


def set_offsets(world, places):
    wait_left(world)
    client, group = _admin(world)
    client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(20)


def set_by_hand(world, since_ms=None):
    """Of the documented topics alone: to where they are, as --to-current does, or to the first
    record of a time or later, as --to-datetime does.
    """
    topics = [world.prefix + topic for topic in documented_topics()]
    set_offsets(world, _committed(world, topics) if since_ms is None else _found(world, topics, since_ms))


def _committed(world, topics):
    return [TopicPartition(place.topic, place.partition, place.offset) for place in read_offsets(world) if place.topic in topics]


def _found(world, topics, since_ms):
    """Where there is no such record, the end."""
    client, _ = _admin(world)
    places = [(topic, partition) for topic in topics for partition in range(world.partitions)]
    ask = lambda spec: client.list_offsets({TopicPartition(*place): spec for place in places})
    offsets = lambda asked: {(at.topic, at.partition): future.result(20).offset for at, future in asked.items()}
    since, ends = offsets(ask(OffsetSpec.for_timestamp(since_ms))), offsets(ask(OffsetSpec.latest()))
    return [TopicPartition(*place, ends[place] if since[place] < 0 else since[place]) for place in places]
