"""GET /v1/webhooks/{id}/deliveries: the deliveries that have not succeeded, by the changelog."""

import uuid

import pytest
from env.commands import ISSUED
from env.wait import until

WEBHOOKS = "/v1/webhooks"
LATER = {"status": 503, "headers": {"retry-after": "3600"}}


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the second attempt, a moment later; a Retry-After keeps one pending."""
    with make_world(settings={"delivery.retry.schedule": "100ms", "delivery.retry.jitter": 0}) as world:
        world.worker()
        yield world


@pytest.fixture
def tenant(world):
    return world.tenant("deliveries")


@pytest.fixture
def endpoint(world):
    return world.receivers.endpoint()


@pytest.fixture
def place(client, endpoint):
    webhook = client("POST", WEBHOOKS, {"events": [ISSUED], "url": endpoint.url}).json
    path = f"{WEBHOOKS}/{webhook['id']}"
    until(lambda: client("GET", f"{path}/deliveries").status == 200, 1, "the gateway to know the webhook")
    return path


def held(client, place, query="", **counts):
    """The page once the counts are these."""

    def there():
        page = client("GET", f"{place}/deliveries{query}").json
        return all(page[name] == count for name, count in counts.items()) and page

    return until(there, 10, f"{counts}")


def test_pending_dead_and_gone(world, client, endpoint, place, tenant):
    assert client("GET", f"{place}/deliveries").json == {"data": [], "pending": 0, "dead": 0, "failingSince": None, "complete": True}
    endpoint.answers(500, 500, LATER)
    dead = client("POST", f"{place}/test").json["deliveryId"]
    (delivery,) = held(client, place, dead=1)["data"]
    assert delivery | {"createdAt": None, "diedAt": None} == {
        "id": dead, "webhookId": place.rsplit("/", 1)[1], "eventType": "WebhookTest", "status": "dead", "attempts": 2, "lastStatus": 500,
        "lastReason": "status-500", "nextAttemptAt": None, "diedAt": None, "createdAt": None,
    }  # fmt: skip
    pending = client("POST", f"{place}/test").json["deliveryId"]
    until(lambda: held(client, place, "?status=pending", pending=1, dead=1)["data"][0]["lastStatus"] == 503, 10, "the attempt")
    page = client("GET", f"{place}/deliveries").json
    assert [each["id"] for each in page["data"]] == [dead, pending] and page["data"][1]["diedAt"] is None
    told = world.admin.ok("delivery", "list", "--tenant", tenant, "--json").splitlines()
    assert client("GET", f"{place}/deliveries").body.decode().split(',"pending"')[0] == '{"data":[%s]' % ",".join(told)
    assert [each["id"] for each in client("GET", f"{place}/deliveries?status=dead").json["data"]] == [dead]
    assert client("PUT", place, {"events": [ISSUED], "url": endpoint.url, "disabled": True}).status == 200
    held(client, place, pending=0, dead=1)
    assert client("DELETE", place).status == 204
    until(lambda: client("GET", f"{place}/deliveries").status == 404, 5, "the webhook to be gone")


def test_pages_and_recovery(world, client, endpoint, place):
    endpoint.answers(*[500] * 6, 200)
    sent = [client("POST", f"{place}/test").json["deliveryId"] for _ in range(3)]
    whole = held(client, place, dead=3)["data"]
    assert {each["id"] for each in whole} == set(sent)
    walked, path = [], f"{place}/deliveries?limit=1"
    while path:
        page = client("GET", path).json
        walked += page["data"]
        path = "nextCursor" in page and f"{place}/deliveries?limit=1&cursor={page['nextCursor']}"
    assert walked == whole
    assert client("POST", f"{place}/recover", {"since": 0}).json == {"deliveries": 3}
    held(client, place, dead=0, pending=0)


def test_a_gateway_that_comes_later_knows_the_same(world, gateway, client, endpoint, place):
    endpoint.answers(LATER)
    client("POST", f"{place}/test")
    page = until(lambda: (page := held(client, place, pending=1))["data"][0]["attempts"] == 1 and page, 10, "the attempt")
    other = world.gateway("gateway-2")
    client.address = other.api
    assert client("GET", f"{place}/deliveries").json == page
    other.stop()


def test_an_endpoint_that_fails(world, client, endpoint, place):
    endpoint.answers(500)
    for _ in range(5):
        client("POST", f"{place}/test")
    page = until(lambda: (page := client("GET", f"{place}/deliveries").json)["failingSince"] and page, 15, "the breaker")
    assert page["failingSince"] >= page["data"][0]["createdAt"]


def test_whose(world, gateway, client, place):
    other = world.client(gateway, world.tenant("other"))
    for id in (place.rsplit("/", 1)[1], str(uuid.uuid4())):
        answer = other("GET", f"{WEBHOOKS}/{id}/deliveries")
        known = other("GET", f"{WEBHOOKS}/{id}")
        assert (answer.status, answer.json) == (known.status, known.json) and answer.status == 404
    assert client("GET", f"{place}/deliveries", headers={"authorization": None}).status == 401


def test_what_is_wrong(client, place):
    wrong = client("GET", f"{WEBHOOKS}/x/deliveries?status=late&limit=0&cursor=x")
    assert (wrong.status, [detail["param"] for detail in wrong.json["details"]]) == (400, ["id", "status", "limit", "cursor"])
    assert client("GET", f"{place}/deliveries?cursor=").status == 400
