"""A group's offsets, set by hand as docs/operating.md has it."""

import re

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

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


def set_offsets(world, places):
    wait_left(world)
    client, group = _admin(world)
    client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(20)


def set_by_hand(world):
    """To where they are, of the documented topics alone."""
    wanted = {world.prefix + topic for topic in documented_topics()}
    set_offsets(world, [TopicPartition(place.topic, place.partition, place.offset) for place in read_offsets(world) if place.topic in wanted])
