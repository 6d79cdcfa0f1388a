"""Notices: a tenant's own webhooks are told of its webhooks and deliveries (R14)."""

import pytest
from env import commands
from env.verifier import verify
from env.wait import until

NOTICES = ("WebhookFailing", "WebhookRecovered", "WebhookDisabled", "DeliveryDead")
FAILING, RECOVERED, DISABLED, DEAD = NOTICES
NOTIFY_S = 2
SETTINGS = {
    "delivery.breaker.failures": 3,
    "delivery.breaker.probe.interval": "500ms",
    "delivery.retry.jitter": 0,
    "endpoint.failing.notify.after": f"{NOTIFY_S}s",
}


@pytest.fixture
def world(make_world):
    """Deliveries that are tried for long."""
    with make_world(settings=SETTINGS | {"delivery.retry.schedule": "100ms" + 60 * ",1s"}) as world:
        world.worker()
        yield world


@pytest.fixture
def hasty(make_world):
    """Deliveries that are dead after their second attempt."""
    with make_world(settings=SETTINGS | {"delivery.retry.schedule": "100ms"}) as world:
        world.worker()
        yield world


def subscribed(world, tenant):
    """(endpoint, webhook) of who is to be told, and an endpoint that is not to be: of the host and
    port that the tests' failing ones have.
    """
    watcher, same = world.receivers.endpoint(port=1), world.receivers.endpoint()
    world.webhook(tenant, same, events=NOTICES)
    return watcher, world.webhook(tenant, watcher, events=NOTICES), same


def restart(worker):
    worker.kill()
    worker.start()


def told(world, tenant, request, type, about):
    """The notice's payload, after a check of all that each has."""
    verify(request, world.jwks(tenant))
    event = request.json["event"]
    assert (event["type"], event["subject"], request.headers["posthorn-event-type"]) == (type, about["id"], type)
    payload = event["payload"]
    assert (payload.pop("webhookId"), payload.pop("endpoint")) == (about["id"], about["url"].rpartition("/")[0])
    return payload


def recorded(world, tenant):
    """The types of all notices that were recorded, by now."""
    world.results.catch_up()
    begun = (events[0] for events in world.results.by_delivery.values() if events[0].tenantId == tenant)
    return sorted(event.data["eventType"] for event in begun if event.data["eventType"] in NOTICES)


def distinct(endpoint):
    """Of each id the first: a worker that dies before it has recorded an answer sends again."""
    return list({request.id: request for request in reversed(endpoint.requests)}.values())[::-1]


def types_at(endpoint):
    return [request.headers["posthorn-event-type"] for request in distinct(endpoint)]


def test_a_failure_and_its_end_are_told_once(world):
    """Also where the worker dies behind each of them."""
    [worker] = world.workers
    tenant, bad = world.tenant(), world.receivers.endpoint().answers(500)
    about = world.webhook(tenant, bad, events=(commands.ISSUED, *NOTICES))
    watcher, watching, same = subscribed(world, tenant)
    for _ in range(10):
        world.issue(tenant)
    [request] = watcher.wait()
    assert request.json["webhookId"] == watching["id"]
    failing = told(world, tenant, request, FAILING, about)
    assert request.time - bad.requests[0].time > NOTIFY_S * 0.9
    assert failing.keys() == {"failingSince", "lastStatus", "lastReason"}
    assert (failing["lastStatus"], failing["lastReason"]) == (500, "status-500")
    restart(worker)
    probes = len(bad.requests)
    until(lambda: len(bad.requests) >= probes + 2 + 2 * NOTIFY_S, what="probes by the worker that was started again")
    assert types_at(watcher) == [FAILING]
    bad.answers(200)
    until(lambda: len(distinct(watcher)) == 2, what="the end to be told")
    recovered = told(world, tenant, distinct(watcher)[1], RECOVERED, about)
    assert recovered["failingSince"] == failing["failingSince"] < recovered["recoveredAt"]
    restart(worker)
    world.issue(tenant)
    until(lambda: world.results.poll() or world.results.counts["WEBHOOK_EVENT_PROCESS_SUCCESS"] >= 13, what="all deliveries")
    assert types_at(watcher) == [FAILING, RECOVERED] == recorded(world, tenant)
    assert set(types_at(bad)) == {commands.ISSUED} and not same.requests
    [record] = (webhook for webhook in world.state.kind("webhook", tenant).values() if webhook["id"] == about["id"])
    assert record["failingToldSince"] is None and record["healthToldAt"], record


def test_what_is_gone_is_told(world):
    tenant, bad = world.tenant(), world.receivers.endpoint().answers(410)
    about = world.webhook(tenant, bad)
    watcher, _, same = subscribed(world, tenant)
    world.issue(tenant)
    by_type = {request.headers["posthorn-event-type"]: request for request in watcher.wait(2)}
    assert by_type.keys() == {DEAD, DISABLED}
    disabled = told(world, tenant, by_type[DISABLED], DISABLED, about)
    assert (disabled["reason"], disabled["lastStatus"]) == ("gone", 410)
    dead = told(world, tenant, by_type[DEAD], DEAD, about)
    assert (dead["lastReason"], dead["attemptCount"], dead["deliveryId"]) == ("status-410", 1, bad.requests[0].id)
    assert len(bad.requests) == 1 and not same.requests
    assert world.ask(tenant, commands.update(about["id"], bad.url, disabled=True)).status == 200, "by the tenant: not told"
    assert recorded(world, tenant) == sorted((DEAD, DISABLED))


def test_a_dead_delivery_is_told_once_an_hour(hasty):
    """That of a notice is not, whoever it is to."""
    world, [worker] = hasty, hasty.workers
    tenant, bad, deaf = world.tenant(), world.receivers.endpoint().answers(500), world.receivers.endpoint(port=2).answers(500)
    about = world.webhook(tenant, bad)
    world.webhook(tenant, deaf, events=[DEAD])
    watcher, _, same = subscribed(world, tenant)
    command = world.issue(tenant, credential_id="c-1")
    [request] = watcher.wait()
    dead = told(world, tenant, request, DEAD, about)
    assert (dead["subject"], dead["commandId"], dead["attemptCount"], dead["lastReason"]) == ("c-1", command, 2, "status-500")
    assert dead["deliveryId"] == bad.requests[0].id
    deaf.wait(2)
    world.delivered(deaf.requests[0].id, last="WEBHOOK_EVENT_PROCESS_FAIL")
    restart(worker)
    second = world.issue(tenant)
    world.results.end(second)
    worker.wait_metric(1, "posthorn_notices_total", type=DEAD, result="left_out")
    assert worker.metric("posthorn_notices_total", type=DEAD, result="told") == 0
    assert types_at(watcher) == [DEAD] and not same.requests and set(types_at(bad)) == {commands.ISSUED}
    assert recorded(world, tenant) == [DEAD, DEAD], "to the two who subscribe"
    for event in (events[0] for events in world.results.by_delivery.values() if events[0].data["eventType"] == DEAD):
        assert (event.commandId, event.data["subject"], event.data["eventId"]) == (command, about["id"], request.json["event"]["id"])
    timeline = world.admin.ok("trace", "--tenant", tenant, "c-1")
    assert f"recorded: {DEAD} to webhook" in timeline and request.id in timeline


def test_types_are_judged(hasty):
    tenant = hasty.tenant()
    assert hasty.ask(tenant, commands.create("http://127.0.0.1:9/", events=["WebhookFail"])).status == 400
    assert hasty.ask(tenant, commands.create("http://127.0.0.1:9/", events=NOTICES)).data["events"] == list(NOTICES)
    assert hasty.results.end(hasty.publish(tenant, FAILING)).status == 400
