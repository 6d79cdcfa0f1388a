"""An attempt that failed is made again by the schedule, with the same id and new signatures, until
it succeeds or the schedule ends.
"""

import pytest
from env import commands
from env.paths import REFUSING_PORT
from env.verifier import verify
import itertools

FIRST_MS, SECOND_MS = 1100, 300  # the first is over a second, so that webhook-timestamp must differ
RETRY, SUCCESS, FAIL = "WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_SUCCESS", "WEBHOOK_EVENT_PROCESS_FAIL"


@pytest.fixture(scope="module")
def world(make_world):
    schedule = f"{FIRST_MS}ms,{SECOND_MS}ms"
    with make_world(settings={"delivery.retry.schedule": schedule, "delivery.retry.jitter": 0, "delivery.timeout": "1s"}) as world:
        world.worker()
        yield world


def issue(world, endpoint_url):
    """A tenant with one webhook and one event on its way: (tenant, webhook, delivery id)."""
    tenant = world.tenant()
    webhook = world.ask(tenant, commands.create(endpoint_url)).data
    world.results.end(world.issue(tenant))
    events = world.results.wait(lambda: [id for id, events in world.results.by_delivery.items() if events[0].tenantId == tenant], what="the delivery")
    return tenant, webhook, events[0]


def test_two_failures_then_success(world):
    endpoint = world.receivers.endpoint().answers(500, 503, 200)
    tenant, webhook, delivery = issue(world, endpoint.url)
    events = world.delivered(delivery)
    requests = endpoint.requests
    assert [request.answered for request in requests] == [500, 503, 200]
    assert {request.id for request in requests} == {delivery} and len({request.body for request in requests}) == 1
    assert requests[0].headers["webhook-timestamp"] != requests[1].headers["webhook-timestamp"]
    assert requests[0].headers["signature"] != requests[1].headers["signature"]
    for request in requests:
        verify(request, world.jwks(tenant))
    gaps = [(later.time - earlier.time) * 1000 for earlier, later in itertools.pairwise(requests)]
    assert FIRST_MS <= gaps[0] < FIRST_MS + 500 and SECOND_MS <= gaps[1] < SECOND_MS + 500
    assert [event.type for event in events] == ["WEBHOOK_EVENT_RECEIVE", RETRY, RETRY, SUCCESS]
    data = [event.data for event in events]
    assert [(d["attempt"], d["status"], d["reason"]) for d in data] == [
        (0, None, None),
        (1, 500, "status-500"),
        (2, 503, "status-503"),
        (3, 200, None),
    ]
    assert all(d["webhookId"] == webhook["id"] and d["deliveryId"] == delivery for d in data)
    assert abs(data[1]["nextAttemptAt"] - requests[1].time * 1000) < 500


def test_exhaustion_makes_it_dead_and_recovery_makes_it_due(world):
    endpoint = world.receivers.endpoint().answers(500)
    tenant, webhook, delivery = issue(world, endpoint.url)
    events = world.delivered(delivery, FAIL)
    assert [event.type for event in events] == ["WEBHOOK_EVENT_RECEIVE", RETRY, RETRY, FAIL]
    assert (events[-1].data["attempt"], events[-1].data["status"], events[-1].data["nextAttemptAt"]) == (3, 500, None)
    dead = world.state.kind("delivery")[f"delivery/{delivery}"]
    assert (dead["status"], dead["attempts"], dead["lastStatus"]) == ("dead", 3, 500)

    endpoint.answers(200)
    end = world.ask(tenant, commands.recover(webhook["id"]))
    assert (end.type, end.status, end.data) == ("WEBHOOK_RECOVER_SUCCESS", 200, {"deliveries": 1})
    assert world.delivered(delivery)[-1].data["status"] == 200
    requests = endpoint.wait(4)
    assert len(requests) == 4 and {request.id for request in requests} == {delivery}
    assert f"delivery/{delivery}" not in world.state.kind("delivery")


@pytest.mark.parametrize(
    "answers, reason",
    [
        ([{"status": 404}], "status-404"),
        ([{"status": 302, "headers": {"Location": "/elsewhere"}}], "status-302"),
        ([{"hang": True}], "timeout"),
        # Once would not do: where an idle connection turns out to be closed, the same attempt asks
        # again on a new one.
        ([{"close": True}, {"close": True}], "connect"),
    ],
    ids=["404", "redirect", "hang", "close"],
)
def test_reasons(world, answers, reason):
    endpoint = world.receivers.endpoint().answers(*answers, 200)
    _, _, delivery = issue(world, endpoint.url)
    events = world.delivered(delivery)
    assert (events[1].type, events[1].data["reason"]) == (RETRY, reason)
    assert events[-1].type == SUCCESS


def test_nobody_listens(world):
    _, _, delivery = issue(world, f"http://127.0.0.1:{REFUSING_PORT}/")
    events = world.delivered(delivery, FAIL)
    assert {event.data["reason"] for event in events[1:]} == {"connect"}


def test_2xx_is_success_and_a_body_is_no_matter(world):
    for answer in (201, 204, {"status": 200, "body": "x" * 200_000}):
        endpoint = world.receivers.endpoint().answers(answer)
        _, _, delivery = issue(world, endpoint.url)
        assert [event.type for event in world.delivered(delivery)] == ["WEBHOOK_EVENT_RECEIVE", SUCCESS]


@pytest.mark.parametrize("how, reason", [("delete", "webhook-deleted"), ("disable", "webhook-disabled")])
def test_pending_deliveries_of_a_webhook_that_goes(world, how, reason):
    endpoint = world.receivers.endpoint().answers(500)
    tenant, webhook, delivery = issue(world, endpoint.url)
    world.results.wait(lambda: len(world.results.by_delivery[delivery]) == 2, what="the first failure")
    operation = commands.delete(webhook["id"]) if how == "delete" else commands.update(webhook["id"], endpoint.url, disabled=True)
    assert world.ask(tenant, operation).status in (200, 204)
    seen = len(endpoint.requests)
    events = world.delivered(delivery, FAIL)
    assert events[-1].data["reason"] == reason
    assert f"delivery/{delivery}" not in world.state.kind("delivery")
    assert len(endpoint.requests) == seen, "no attempt from that commit on"


def test_a_new_url_gets_the_next_attempt(world):
    old, new = world.receivers.endpoint("old").answers(500), world.receivers.endpoint("new", port=1)
    tenant, webhook, delivery = issue(world, old.url)
    world.results.wait(lambda: len(world.results.by_delivery[delivery]) == 2, what="the first failure")
    world.ask(tenant, commands.update(webhook["id"], new.url))
    world.delivered(delivery)
    assert [request.id for request in new.wait()] == [delivery] and len(old.requests) == 1
    verify(new.requests[0], world.jwks(tenant))


def test_a_slow_endpoint_does_not_hold_up_another(world):
    slow, quick = world.receivers.endpoint("slow").answers({"hang": True}), world.receivers.endpoint("quick")
    issue(world, slow.url)
    slow.wait()
    _, _, delivery = issue(world, quick.url)
    quick.wait(timeout=0.9)
    world.delivered(delivery)
