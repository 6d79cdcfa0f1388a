"""Topics that do not fit together are a clear fatal error, at once; a changelog that was lost is
never taken for an empty one.
"""

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from env import avro, commands
from env.kafka import connection
from env.offsets import metadata_of, read_offsets, set_by_hand, set_offsets
from env.wait import until

TOPICS = ("webhook-admin", "credential-issuance", "webhook-events", "webhook-results", "webhook-state", "webhook-dead-letters")
TYPE = "order.paid"
# The settings of 0.1.0's topics. It left retention.ms to the brokers, and had no webhook-events.
SETTINGS = {
    "webhook-state": {
        "cleanup.policy": "compact",
        "delete.retention.ms": "604800000",
        "max.compaction.lag.ms": "3600000",
        "segment.bytes": "67108864",
    },
    "webhook-dead-letters": {"max.message.bytes": "10485760"},
}
WEEK_MS = 7 * 24 * 3600 * 1000
SAME_NUMBER = "topics must have the same number of partitions"


@pytest.fixture
def bare_world(make_world, monkeypatch):
    monkeypatch.setattr("env.world.World.create_topics", lambda world: world)
    with make_world() as world:
        yield world


def add_a_partition(world, topic):
    client, name = AdminClient(connection(world.bootstrap)), world.prefix + topic
    client.create_partitions([NewPartitions(name, world.partitions + 1)])[name].result(20)


def wait_known(client, names):
    until(lambda: names <= client.list_topics(timeout=10).topics.keys(), 20, "the broker knows them")


def create(world, **partitions):
    client = AdminClient(connection(world.bootstrap))
    wanted = {topic: partitions.get(topic.replace("-", "_"), 4) for topic in TOPICS}
    topics = [NewTopic(world.prefix + topic, count, 1, config=SETTINGS.get(topic, {})) for topic, count in wanted.items() if count]
    for future in client.create_topics(topics).values():
        future.result()
    wait_known(client, {topic.topic for topic in topics})


@pytest.mark.parametrize("topic", ["webhook_admin", "credential_issuance", "webhook_state"])
@pytest.mark.parametrize("count", [3, 5])
def test_partition_counts_differ(bare_world, topic, count):
    create(bare_world, **{topic: count})
    worker = bare_world.worker(ready=False)
    worker.expect_error(SAME_NUMBER)
    assert worker.wait_end(30) == 3
    log = worker.log.read_text()
    assert bare_world.prefix + topic.replace("_", "-") in log, log
    check = bare_world.admin("topics", "check")
    assert check.code == 1 and topic.replace("_", "-") in check.err + check.out


def test_the_topics_of_the_first_release_are_gone_on_with(bare_world):
    """As docs/operating.md has an upgrade. Workers may wait for `topics create` to succeed."""
    world = bare_world
    create(world, webhook_events=0)
    created = world.admin("topics", "create")
    short = {"webhook-results": 30 * WEEK_MS // 7, "webhook-dead-letters": 2 * WEEK_MS}
    told = [f"{world.prefix}{topic}: retention.ms is {WEEK_MS}, must be at least {wanted}" for topic, wanted in short.items()]
    assert created.code == 0 and all(line in created.out for line in told), created
    checked = world.admin("topics", "check")
    assert checked.code == 1 and all(line in checked.out for line in told) and " wrong" not in checked.out, checked
    assert world.worker().running
    for topic, wanted in short.items():
        world.configure(topic, "retention.ms", wanted)
    until(lambda: world.admin("topics", "check").code == 0, 20, "the broker to know it")


def test_another_fault_of_a_topic_still_fails_topics_create(bare_world):
    create(bare_world)
    bare_world.configure("webhook-state", "cleanup.policy", "delete")
    until(lambda: bare_world.admin("topics", "create").code == 1, 20, "the broker to know it")


@pytest.mark.parametrize("topic", ["webhook_admin", "webhook_results", "webhook_state", "webhook_dead_letters"])
def test_topic_is_missing(bare_world, topic):
    create(bare_world, **{topic: 0})
    worker = bare_world.worker(ready=False)
    worker.expect_error("")
    assert worker.wait_end(30) == 3
    assert bare_world.prefix + topic.replace("_", "-") in worker.log.read_text()


def test_the_changelog_gets_more_partitions(fresh_world):
    """A running worker keeps its topics and goes on; a starting one is refused."""
    world = fresh_world
    worker = world.worker()
    add_a_partition(world, "webhook-state")
    second = world.worker("worker-2", ready=False)
    second.expect_error(SAME_NUMBER)
    assert second.wait_end(30) == 3
    assert world.ask(world.tenant(), commands.retrieve_all()).status == 200
    worker.stop()
    worker.expect_error(SAME_NUMBER)
    assert worker.start(ready=False).wait_end(30) == 3
    assert f"{world.prefix}webhook-state=5" in worker.log.read_text()


def test_an_input_gets_more_partitions_while_a_worker_runs(fresh_world):
    """It reads no tenant from a partition that is not the tenant's."""
    world = fresh_world
    worker = world.worker(kafka_topic_metadata_refresh_interval_ms=500)
    worker.expect_error(SAME_NUMBER)
    add_a_partition(world, "webhook-admin")
    assert worker.wait_end(60) == 3
    assert f"{world.prefix}webhook-admin=5" in worker.log.read_text()


def wait_torn(world, worker):
    """No partition is served, and the log says of each why."""
    all_of_them = list(range(world.partitions))
    until(lambda: worker.partitions("failed") == all_of_them, 30, "all partitions failed")
    assert worker.get("/readyz") == (503, "torn\n", "")
    for partition in all_of_them:
        assert f"topic={world.prefix}webhook-admin partition={partition}" in worker.log.read_text()


NOT_OF_IT = "committed offset is not of this changelog: was webhook-state deleted"


@pytest.mark.parametrize("replica", ["warm", "cold"])
def test_the_changelog_is_made_anew_while_no_worker_runs(fresh_world, replica):
    world = fresh_world
    worker = world.worker()
    world.in_every_partition()
    worker.stop()
    world.make_changelog_anew()
    if replica == "cold":
        worker.forget()
    worker.expect_error(NOT_OF_IT)
    worker.start(ready=False)
    wait_torn(world, worker)


def test_the_changelog_is_made_anew_under_a_worker(fresh_world):
    """Nothing is committed to it: later it would pass for the whole."""
    world = fresh_world
    worker = world.worker()
    tenants, _ = world.in_every_partition()
    world.make_changelog_anew()
    worker.expect_error(f"changelog was deleted and made again.*topic={world.prefix}webhook-state|{NOT_OF_IT}")
    asked = [world.writer.ask(tenant, commands.retrieve_all()) for tenant in tenants.values()]
    world.writer.flush()
    wait_torn(world, worker)
    worker.stop()
    worker.forget()
    worker.start(ready=False)
    wait_torn(world, worker)
    assert not world.state.catch_up().values and not any(world.results.catch_up().by_command[id] for id in asked)


def test_a_changelog_that_was_made_anew_is_taken_with_offsets_that_were_set_by_hand(fresh_world):
    """As docs/operating.md has it, of an operator who does without the old one. Every input was
    read.
    """
    world = fresh_world
    worker = world.worker(kafka_session_timeout_ms=6000, event_types=TYPE)
    worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
    tenants, _ = world.in_every_partition()
    for tenant in tenants.values():
        assert world.results.end(world.issue(tenant)).status == 200
        assert world.results.end(world.publish(tenant, TYPE)).status == 202
    worker.stop()
    world.make_changelog_anew()
    set_by_hand(world)
    worker.start()
    assert "following an offset that was set by hand" in worker.log.read_text()
    for tenant in tenants.values():
        assert world.ask(tenant, commands.retrieve_all()).data["data"] == []


def positions_of(world):
    """{partition: an offset's metadata with the changelog's position, and with the one before}"""
    values = {key[1]: value for key, value in world.state.catch_up().values.items() if isinstance(key, tuple)}
    found = {}
    for partition, value in values.items():
        position = avro.plain(world.schemas.state.decode(value)["state"])
        found[partition] = [f"{position['storeId']}/{position['sequence'] - steps}" for steps in (0, 1)]
    return found


def test_offsets_that_were_left_behind(fresh_world):
    """As Kafka leaves them when it commits a transaction's records and not its offsets: nothing is
    handled twice, and the group's offsets are right again without a command.
    """
    world = fresh_world
    worker = world.worker(kafka_session_timeout_ms=6000)
    tenants, _ = world.in_every_partition()
    for tenant in tenants.values():
        world.ask(tenant, commands.retrieve_all())
    worker.stop()
    positions, committed = positions_of(world), read_offsets(world)
    is_newest = lambda each: metadata_of(each).startswith(positions[each.partition][0].encode())
    assert all(map(is_newest, committed))
    set_offsets(world, [TopicPartition(each.topic, each.partition, max(each.offset - 1, 0), positions[each.partition][1]) for each in committed])
    before = len(world.results.catch_up().events)
    worker.start()
    assert "committed offset is of an earlier position than the changelog's" in worker.log.read_text()
    places = lambda read: {(each.topic, each.partition, each.offset) for each in read}
    until(lambda: places(read_offsets(world)) == places(committed), 10, "the offsets of the changelog's position")
    assert all(map(is_newest, read_offsets(world)))
    for tenant in tenants.values():
        assert len(world.ask(tenant, commands.retrieve_all()).data["data"]) == 1
    assert len(world.results.catch_up().events) == before + 2 * len(tenants)
