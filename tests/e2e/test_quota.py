"""Brokers that throttle the worker by a quota: its turns become as small as what they take in time,
and grow again.
"""

import pytest
from env.kafka import Broker
from env.load import Load
from env.world import World

RATE = 100_000  # bytes a second
CLIENT = "throttled"


@pytest.fixture
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("quota"))
    yield broker
    broker.stop()


@pytest.fixture
def world(tmp_path, broker, receivers, schemas):
    world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
    yield world
    world.close()


def undone(worker):
    return sum(worker.metric("posthorn_transactions_total", outcome=outcome) for outcome in ("aborted", "unknown"))


def test_turns_become_as_small_as_a_quota_needs(world, broker):
    """A worker at work meets a quota, and later the quota is gone."""
    worker = world.worker(kafka_client_id=CLIENT)
    load = Load(world)
    load.send(2000)
    load.finish()
    unbound = worker.metric("posthorn_transaction_max_bytes")
    broker.set_quota(CLIENT, producer_byte_rate=RATE)
    load.send(2000)
    load.finish(timeout=120)
    assert undone(worker) <= 1
    assert worker.metric("posthorn_throttled_seconds_total") > 1
    throttled = worker.metric("posthorn_transaction_max_bytes")
    assert throttled < unbound / 10
    assert "by a quota (producer_byte_rate)" in worker.log.read_text()
    load.check()
    issue_something_large(world, worker)
    broker.set_quota(CLIENT, producer_byte_rate=None)
    load.send(2000)
    load.finish(timeout=30)
    assert worker.metric("posthorn_transaction_max_bytes") > 4 * throttled, "turns grow again"
    worker.stop()


DELIVERIES, CREDENTIAL_BYTES = 10, 40_000


def issue_something_large(world, worker):
    """More than is taken in a second, by one command: it has a transaction of its own, and all of
    its time.
    """
    tenant, endpoint, before = world.tenant(), world.receivers.endpoint(), undone(worker)
    for _ in range(DELIVERIES):
        world.webhook(tenant, endpoint)
    world.results.end(world.issue(tenant, credential="x" * CREDENTIAL_BYTES), timeout=60)
    endpoint.wait(DELIVERIES, timeout=60)
    assert undone(worker) == before
