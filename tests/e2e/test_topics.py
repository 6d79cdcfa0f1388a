"""Topics that do not fit together are a clear fatal error, at once."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

TOPICS = ("webhook-admin", "credential-issuance", "webhook-results", "webhook-state", "webhook-dead-letters")


@pytest.fixture
def bare_world(make_world, monkeypatch):
    monkeypatch.setattr("env.world.World.create_topics", lambda world: world)
    with make_world() as world:
        yield world


def create(world, **partitions):
    client = AdminClient({"bootstrap.servers": world.bootstrap})
    wanted = {topic: partitions.get(topic.replace("-", "_"), 4) for topic in TOPICS}
    topics = [NewTopic(world.prefix + topic, count, 1) for topic, count in wanted.items() if count]
    for future in client.create_topics(topics).values():
        future.result()


@pytest.mark.parametrize("topic", ["webhook_admin", "credential_issuance", "webhook_state"])
def test_partition_counts_differ(bare_world, topic):
    create(bare_world, **{topic: 3})
    worker = bare_world.worker(ready=False)
    worker.expect_error("")
    assert worker.wait_end(30) != 0
    log = worker.log.read_text()
    assert "partitions" in log and bare_world.prefix + topic.replace("_", "-") in log, log
    check = bare_world.admin("topics", "check")
    assert check.code == 1 and topic.replace("_", "-") in check.err + check.out


@pytest.mark.parametrize("topic", ["webhook_admin", "webhook_results", "webhook_state", "webhook_dead_letters"])
def test_topic_is_missing(bare_world, topic):
    create(bare_world, **{topic: 0})
    worker = bare_world.worker(ready=False)
    worker.expect_error("")
    assert worker.wait_end(30) != 0
    assert bare_world.prefix + topic.replace("_", "-") in worker.log.read_text()
