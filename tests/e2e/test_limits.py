"""What a tenant may have at most, by both ways; and that what is refused names the limit."""

import pytest
from env import commands
from env.commands import ISSUED
from env.wait import until

LIMITS = {"tenant_max_webhooks": 2, "tenant_max_signing_keys": 3, "tenant_max_pending_deliveries": 4}
URL = "https://127.0.0.1:9/nobody"


@pytest.fixture(scope="module")
def world(make_world):
    with make_world() as world:
        world.worker(**LIMITS)
        yield world


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
