"""A history that fails under a running gateway is mended, and nothing else waits for it."""

import sqlite3

import pytest
from env.wait import until


@pytest.fixture(scope="module")
def world(make_world):
    with make_world() as world:
        worker = world.worker()
        worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
        yield world


def subjects(client):
    answer = client("GET", "/v1/deliveries?status=succeeded")
    return sorted(delivery["subject"] for delivery in answer.json["data"]) if answer.status == 200 else answer.status


def test_a_file_that_fails_is_made_anew(world):
    """What comes meanwhile is there afterwards."""
    tenant, gateway = world.tenant("mended"), world.gateway("gateway-mended")
    client = world.client(gateway, tenant)
    world.webhook(tenant, world.receivers.endpoint())
    world.issue(tenant, credential_id="c-1")
    until(lambda: subjects(client) == ["c-1"], 20, "the first delivery")
    assert gateway.metric("posthorn_gateway_history_failing") == 0
    with sqlite3.connect(gateway.data / "history.db", timeout=20) as db:
        db.execute("DROP TABLE event")
    world.issue(tenant, credential_id="c-2")
    until(lambda: gateway.metric("posthorn_gateway_history_failing") == 1 or subjects(client) == ["c-1", "c-2"], 20, "the failure")
    for _ in range(3):
        assert client("GET", "/v1/webhooks").status == 200
    until(lambda: subjects(client) == ["c-1", "c-2"], 60, "the history to be made anew")
    assert gateway.metric("posthorn_gateway_history_failing") == 0
    gateway.expect_error("the history failed")
