"""Where a credential lies in clear, and for how long: docs/security.md says it, and these look at
what is really there.
"""

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from env import commands
from env.kafka import connection
from env.wait import until

TOPICS = ("webhook-admin", "credential-issuance", "webhook-events", "webhook-state", "webhook-results", "webhook-dead-letters")
REPLICA = {"replica.db", "replica.db-wal"}
SUCCESS, DEAD = "WEBHOOK_EVENT_PROCESS_SUCCESS", "WEBHOOK_EVENT_PROCESS_FAIL"


@pytest.fixture(scope="module")
def world(make_world):
    """Its programs say all that they ever say."""
    with make_world(settings={"delivery.retry.schedule": "100ms", "delivery.retry.jitter": 0, "log.level": "debug"}) as world:
        world.worker()
        world.gateway()
        yield world


def records_of(world):
    """{topic: the bytes of its records, committed or not, with their headers}, of all that a broker
    has.
    """
    settings = {"group.id": "grep", "isolation.level": "read_uncommitted", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(settings | connection(world.bootstrap))
    found = {name: [] for name in TOPICS}
    try:
        for name in TOPICS:
            topic = world.prefix + name
            for partition in consumer.list_topics(topic, 10).topics[topic].partitions:
                consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
                while not (message := consumer.poll(30)).error():
                    found[name] += [message.key() or b"", message.value() or b"", *(value or b"" for _, value in message.headers() or [])]
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
    finally:
        consumer.close()
    return {name: b"\0".join(parts) for name, parts in found.items()}


def topics_with(world, text):
    """The topics whose records hold the bytes."""
    return {topic for topic, records in records_of(world).items() if text.encode() in records}


def files_with(world, text):
    """The files of both programs, logs included, in which the bytes are."""
    files = [file for program in world.workers for file in program.directory.rglob("*") if file.is_file()]
    assert {"worker.log", "gateway.log", "replica.db"} <= {file.name for file in files}
    return {file.name for file in files if text.encode() in file.read_bytes()}


def issue(world, endpoint):
    """(a new tenant, the credential's secret part)"""
    tenant, secret = world.tenant(), commands.unique("secret")
    world.webhook(tenant, endpoint)
    world.issue(tenant, credential=secret, claims={"of": secret})
    return tenant, secret


def at_rest(world, secret):
    """(topics, files, whether a dump shows it), when the turns so far are in the replica's file"""
    world.wait_in_replica(world.workers[0])
    return topics_with(world, secret), files_with(world, secret), secret in world.admin.dump()


def test_of_what_is_delivered_the_programs_keep_nothing(world):
    """It is in the producer's own record, and in the changelog until that is compacted."""
    endpoint = world.receivers.endpoint()
    _, secret = issue(world, endpoint)
    (callback,) = endpoint.wait(1)
    assert secret in callback.body.decode()
    world.delivered(callback.id)
    assert at_rest(world, secret) == ({"credential-issuance", "webhook-state"}, set(), False)


def test_compaction_takes_it_from_the_changelog(make_world):
    with make_world(settings={"topic.partitions": 1}, partitions=1) as world:
        world.worker()
        for setting, value in {"segment.ms": 100, "min.cleanable.dirty.ratio": 0.01, "max.compaction.lag.ms": 100}.items():
            world.configure("webhook-state", setting, value)
        endpoint = world.receivers.endpoint()
        tenant, secret = issue(world, endpoint)
        world.delivered(endpoint.wait(1)[0].id)
        # Only a segment that is no longer written to is compacted: something has to be written
        # after it.
        more = lambda: world.ask(tenant, commands.rotate_key()) and topics_with(world, secret) == {"credential-issuance"}
        until(more, 90, "the changelog to be compacted")


def test_what_is_not_delivered_is_in_the_replica_and_in_dumps(world):
    """While it is pending or dead. What is deleted may lie in the file's free pages and its log
    until they are written over.
    """
    endpoint = world.receivers.endpoint().answers(500)
    tenant, secret = issue(world, endpoint)
    first = endpoint.wait(2)[0]
    world.delivered(first.id, DEAD)
    topics, files, dumped = at_rest(world, secret)
    assert topics == {"credential-issuance", "webhook-state"} and dumped
    assert files and files <= REPLICA and secret not in world.admin.ok("delivery", "list", "--tenant", tenant)
    endpoint.answers(200)
    assert world.ask(tenant, commands.recover(first.json["webhookId"])).status == 200
    world.delivered(first.id, SUCCESS)
    topics, files, dumped = at_rest(world, secret)
    assert topics == {"credential-issuance", "webhook-state"} and not dumped
    assert files <= REPLICA


def test_a_dead_letter_is_the_record_itself(world):
    secret = commands.unique("secret")
    world.writer.raw("credential-issuance", world.tenant(), b"no record " + secret.encode())
    world.writer.flush()
    until(lambda: topics_with(world, secret) == {"credential-issuance", "webhook-dead-letters"}, what="the dead letter")
    assert files_with(world, secret) == set() and secret in world.admin.ok("dead-letters", "list")


def test_a_summary_holds_none(world):
    tenant, endpoint, secret = world.tenant(), world.receivers.endpoint(), commands.unique("secret")
    world.webhook(tenant, endpoint, events=(commands.SUMMARY,))
    world.issue(tenant, credential=secret, claims={"of": secret})
    world.delivered(endpoint.wait(1)[0].id)
    assert at_rest(world, secret) == ({"credential-issuance"}, set(), False)


def test_the_replica_is_for_its_user_alone(world):
    data = world.workers[0].replica.parent
    assert {oct(file.stat().st_mode & 0o777) for file in data.glob("replica.db*")} == {"0o600"}
    assert oct(data.stat().st_mode & 0o777) == "0o700"
