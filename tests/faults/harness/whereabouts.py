"""Where commands are: those without an outcome, and those that the load's producer does not know to
be written. Read anew, since who looked on may have missed something itself.
"""

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from env.kafka import INPUTS, Reader, connection
from env.partitioner import partition_of

TOPICS = (*INPUTS, "webhook-results", "webhook-state", "webhook-dead-letters")


def encoded(text):
    """As in any Avro record. Source: Apache Avro specification, binary encoding of strings."""
    bytes_ = text.encode()
    assert len(bytes_) < 64, "a length of one byte"
    return bytes([2 * len(bytes_)]) + bytes_


class _Finder(Reader):
    """Those of {(tenant, command id): ...} whose id is in a record of the tenant's."""

    def __init__(self, stand, topic, wanted):
        self.name, self.found = topic, {key: [] for key in wanted}
        self.needles = {key: encoded(key[1]) for key in wanted}
        super().__init__(stand.bootstrap, stand.prefix + topic)

    def take(self, message):
        for (tenant, id), needle in self.needles.items():
            if needle in (message.value() or b"") and tenant.encode() in (message.key() or b"") + message.value():
                self.found[tenant, id].append(f"{self.name}[{message.partition()}]@{message.offset()}")


def _places(stand, topics, wanted):
    """{(tenant, command id): where records name it}"""
    found = {key: [] for key in wanted}
    for topic in topics if wanted else ():
        finder = _Finder(stand, topic, wanted)
        finder.catch_up(timeout=60)
        finder.close()
        for key, places in finder.found.items():
            found[key] += places
    return found


def _committed(stand, partition):
    client = AdminClient(connection(stand.bootstrap))
    inputs = [TopicPartition(stand.prefix + topic, partition) for topic in INPUTS]
    answer = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(stand.group, inputs)])
    return ", ".join(f"{at.topic.removeprefix(stand.prefix)} {at.offset}" for at in answer[stand.group].result(30).topic_partitions)


def whereabouts(stand, wanted):
    """Lines: of each command the records that name it, and how far its partition's inputs are."""
    for (tenant, id), places in _places(stand, TOPICS, wanted).items():
        partition = partition_of(tenant.encode(), stand.partitions)
        yield f"{id} of {tenant}: {', '.join(places) or 'in no topic'}; committed of partition {partition}: {_committed(stand, partition)}"


def forget_unwritten(stand, writer, sent):
    """Takes out of {(tenant, command id): how often} the records of the writer that it was told of
    without an offset, and that are in no topic: nobody has to answer them. Returns how many.
    """
    doubtful = [(message.key().decode(), message.value()) for message in writer.unplaced]
    wanted = [key for key in sent if any(key[0] == tenant and encoded(key[1]) in value for tenant, value in doubtful)]
    found = {key: len(places) for key, places in _places(stand, INPUTS, wanted).items()}
    unwritten = {key: times for key, times in found.items() if times < sent[key]}
    for key, times in unwritten.items():
        sent[key] = times
    return len(unwritten)
