"""The limits of a tenant, over Kafka and HTTP; a refusal names the limit."""

import pytest
from env import commands
from env.commands import ISSUED
from env.paths import REFUSING_PORT
from env.wait import until

LIMITS = {"tenant_max_webhooks": 2, "tenant_max_signing_keys": 3, "tenant_max_pending_deliveries": 4, "delivery_retry_schedule": "1h"}
URL = "https://127.0.0.1:9/nobody"


@pytest.fixture(scope="module")
def world(make_world):
    with make_world() as world:
        world.worker(**LIMITS)
        yield world


@pytest.fixture(scope="module")
def worker(world):
    return world.workers[0]


def row(key, value):
    return [(key, "limits", str(value))]


def rows(problem):
    return [(detail["param"], detail["location"], detail["value"]) for detail in problem["details"]]


@pytest.mark.parametrize("over", ["kafka", "http"])
def test_one_too_many_is_refused_by_name(world, gateway, over):
    tenant = world.tenant("limits")
    client = world.client(gateway, tenant)
    body = {"url": URL, "events": [ISSUED]}

    def create():
        return client("POST", "/v1/webhooks", body) if over == "http" else world.ask(tenant, commands.create(URL))

    def rotate():
        return client("POST", "/v1/webhooks/jwks/rotate") if over == "http" else world.ask(tenant, commands.rotate_key())

    said = lambda answer: answer.json if over == "http" else answer.data
    assert [create().status for _ in range(2)] == [201, 201]
    refused = create()
    assert (refused.status, rows(said(refused))) == (409, row("tenant.max.webhooks", 2))
    assert [rotate().status for _ in range(2)] == [201, 201]
    refused = rotate()
    assert (refused.status, rows(said(refused))) == (409, row("tenant.max.signing.keys", 3))


def issue(world, tenant):
    return world.results.end(world.issue(tenant))


def test_no_more_deliveries_are_pending_than_may_be(world, worker, gateway):
    """Refused with an event that says so; counted over a restart and a lost replica; again taken
    when some have ended.
    """
    tenant = world.tenant("pending")
    client = world.client(gateway, tenant)
    webhook = world.ask(tenant, commands.create(f"http://127.0.0.1:{REFUSING_PORT}/")).data
    assert [issue(world, tenant).status for _ in range(4)] == [200] * 4
    refused = issue(world, tenant)
    assert (refused.type, refused.status) == ("OPENID_CREDENTIAL_FAIL", 429)
    assert rows(refused.data) == row("tenant.max.pending.deliveries", 4)
    answer = client("POST", f"/v1/webhooks/{webhook['id']}/test")
    assert (answer.status, rows(answer.json)) == (429, row("tenant.max.pending.deliveries", 4))
    worker.wait_metric(2, "posthorn_refused_by_limit_total", limit="tenant.max.pending.deliveries")
    for forget in (False, True):
        worker.stop()
        if forget:
            worker.forget()
        worker.start()
        assert issue(world, tenant).status == 429
    assert issue(world, world.tenant("another")).status == 200
    assert client("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204
    world.ask(tenant, commands.create(f"http://127.0.0.1:{REFUSING_PORT}/"))
    until(lambda: issue(world, tenant).status == 200, 20, "room for more")
