"""Endpoints that fail: held back without a harm to anybody else, probed, paced when they are back,
and disabled when they are gone.
"""

import pytest
from env import commands
from env.wait import until
import itertools

RECORDED, SUCCESS, FAIL, DISABLED = "WEBHOOK_EVENT_RECEIVE", "WEBHOOK_EVENT_PROCESS_SUCCESS", "WEBHOOK_EVENT_PROCESS_FAIL", "WEBHOOK_DISABLED"
FAILURES, PROBE_S, PENDING, MANY = 3, 0.5, 100, 600
SETTINGS = {
    "delivery.breaker.failures": FAILURES,
    "delivery.breaker.probe.interval": f"{int(PROBE_S * 1000)}ms",
    "delivery.retry.schedule": "100ms" + 20 * ",1s",
    "delivery.retry.jitter": 0,
    "delivery.max.in.flight.per.endpoint": 8,
}


@pytest.fixture(scope="module")
def world(make_world):
    with make_world(settings=SETTINGS) as world:
        world.worker()
        yield world


def issue_many(world, endpoint, count=PENDING):
    """(tenant, webhook) with that many events on their way."""
    tenant = world.tenant()
    webhook = world.webhook(tenant, endpoint)
    for _ in range(count):
        world.writer.issuance(commands.issuance(tenant))
    world.writer.flush()
    return tenant, webhook


def wait_events(world, tenant, type, count=1, timeout=30):
    found = lambda: [e for e in world.results.events if e.tenantId == tenant and e.type == type]
    return world.results.wait(lambda: len(found()) >= count and found(), timeout, f"{count} {type}")


def failing_since(world, tenant):
    [webhook] = world.state.kind("webhook", tenant).values()
    return webhook["failingSince"]


def gaps(requests):
    return [later.time - earlier.time for earlier, later in itertools.pairwise(requests)]


def test_only_probes_go_to_one_that_fails(world):
    endpoint = world.receivers.endpoint().answers(500)
    tenant, _ = issue_many(world, endpoint)
    requests = list(endpoint.wait(FAILURES + 8 + 4))
    probes = requests[-4:]
    assert min(gaps(probes)) > PROBE_S * 0.9, "one at a time"
    until(lambda: failing_since(world, tenant), what="the webhook to be told")
    endpoint.answers(200)
    wait_events(world, tenant, SUCCESS, PENDING)
    assert len({request.id for request in endpoint.requests}) == PENDING
    until(lambda: not failing_since(world, tenant), what="the webhook to be told")


def test_what_was_held_back_comes_at_a_growing_pace(world):
    endpoint = world.receivers.endpoint().answers(500)
    tenant, _ = issue_many(world, endpoint)
    before = len(endpoint.wait(FAILURES + 8 + 1))
    endpoint.answers({"status": 200, "delay": 0.2})
    wait_events(world, tenant, SUCCESS, PENDING)
    came = endpoint.requests
    first = next(n for n, request in enumerate(came) if n >= before and request.answered == 200)
    in_first_round_trips = [request for request in came[first:] if request.time < came[first].time + 0.5]
    assert len(in_first_round_trips) <= 1 + 2 + 4, "not all at once"


def test_a_failing_endpoint_is_nobody_elses_business(world):
    bad, good = world.receivers.endpoint().answers(500), world.receivers.endpoint(port=1)
    issue_many(world, bad)
    bad.wait(FAILURES)
    tenant, _ = issue_many(world, good, 50)
    wait_events(world, tenant, SUCCESS, 50, timeout=5)


def test_a_crowd_that_hangs_is_nobody_elses_business(make_world):
    """Far more of them than attempts may be in flight, each with more than one delivery."""
    with make_world(settings=SETTINGS | {"delivery.max.in.flight": 16}) as world:
        worker = world.worker()
        good = world.receivers.endpoint()
        tenant, _ = issue_many(world, good, 1)
        wait_events(world, tenant, SUCCESS)
        for n in range(40):
            issue_many(world, world.receivers.endpoint(port=1 + n % 15).answers({"status": 200, "delay": 60}), 3)
        until(lambda: worker.metric("posthorn_attempts_in_flight") >= 8, what="the crowd to hang")
        for _ in range(50):
            world.issue(tenant)
        wait_events(world, tenant, SUCCESS, 51, timeout=5)
        assert worker.metric("posthorn_attempts_in_flight") <= 12


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_whole_endpoint(world, status):
    endpoint = world.receivers.endpoint().answers(*8 * [{"status": status, "headers": {"Retry-After": "2"}}], 200)
    tenant, _ = issue_many(world, endpoint, 30)
    wait_events(world, tenant, SUCCESS, 30)
    held = max(gaps(endpoint.requests))
    assert 1.9 < held < 4
    asked = [request.time for request in endpoint.requests if request.answered == status]
    assert not [request for request in endpoint.requests if asked[-1] < request.time < asked[-1] + 1.9]


def test_gone_is_gone(world):
    """410: the webhook is disabled, what was pending ends, and nothing more is recorded for it."""
    endpoint = world.receivers.endpoint().answers(500)
    tenant, webhook = issue_many(world, endpoint)
    wait_events(world, tenant, RECORDED, PENDING)
    endpoint.answers(410)
    disabled = wait_events(world, tenant, DISABLED)[0]
    assert disabled.data == webhook | {"disabled": True, "updatedAt": disabled.data["updatedAt"]}
    ends = wait_events(world, tenant, FAIL, PENDING)
    assert {event.data["reason"] for event in ends} == {"status-410", "webhook-disabled"}
    assert world.ask(tenant, commands.retrieve(webhook["id"])).data["disabled"]
    assert world.results.end(world.issue(tenant)).data["deliveries"] == 0
    assert len([request for request in endpoint.requests if request.answered == 410]) <= 8


def test_one_that_fails_for_long_is_disabled(make_world):
    """Also when its worker was another for a while."""
    with make_world(settings=SETTINGS | {"endpoint.disable.after": "15s"}) as world:
        worker = world.worker()
        endpoint = world.receivers.endpoint().answers(500)
        tenant, webhook = issue_many(world, endpoint)
        endpoint.wait(FAILURES + 8 + 1)
        until(lambda: failing_since(world, tenant), what="the webhook to be told")
        worker.stop()
        worker.start()
        disabled = wait_events(world, tenant, DISABLED)[0]
        assert 14.9 < disabled.milliseconds / 1000 - endpoint.requests[0].time < 18
        wait_events(world, tenant, FAIL, PENDING)
        assert world.ask(tenant, commands.update(webhook["id"], endpoint.url)).status == 200, "and can be enabled again"
        endpoint.answers(200)
        world.issue(tenant)
        wait_events(world, tenant, SUCCESS)


def test_what_the_old_url_answered_says_nothing_of_the_new_one(world):
    old, new = world.receivers.endpoint().answers({"status": 410, "delay": 2}), world.receivers.endpoint(port=1)
    tenant, webhook = issue_many(world, old, 1)
    old.wait()
    world.ask(tenant, commands.update(webhook["id"], new.url))
    wait_events(world, tenant, FAIL)
    world.issue(tenant)
    new.wait()
    wait_events(world, tenant, SUCCESS)
    assert not world.ask(tenant, commands.retrieve(webhook["id"])).data["disabled"]


@pytest.mark.parametrize("last", [410, 200])
def test_an_answer_after_the_webhook_was_deleted_changes_nothing(make_world, last):
    """The worker has nothing else to do in that turn. Once more for an endpoint that had failed."""
    with make_world(settings=SETTINGS) as world:
        worker = world.worker()
        tenant, endpoint = world.tenant(), world.receivers.endpoint()
        webhook = world.webhook(tenant, endpoint)
        endpoint.answers(*[500] * FAILURES, {"status": last, "delay": 2})
        for _ in range(FAILURES):
            world.issue(tenant)
        endpoint.wait(FAILURES + 1)
        world.ask(tenant, commands.delete(webhook["id"]))
        wait_events(world, tenant, FAIL if last == 410 else SUCCESS)
        until(lambda: world.results.catch_up() and len(world.state.kind("delivery", tenant)) == 0, what="the end of all deliveries")
        assert worker.running and world.ask(tenant, commands.retrieve_all()).status == 200


def test_gone_while_the_key_is_rotated(make_world):
    """More endpoints than one turn examines lose their route while their outcomes are being
    recorded in their webhooks.
    """
    with make_world(settings=SETTINGS | {"delivery.max.in.flight.per.endpoint": 1}) as world:
        worker = world.worker()
        tenant, endpoint = world.tenant(), world.receivers.endpoint().answers({"status": 410, "delay": 1})
        ids = [world.writer.ask(tenant, commands.create(endpoint.url)) for _ in range(MANY)]
        world.writer.flush()
        for id in ids:
            world.results.end(id)
        world.issue(tenant)
        endpoint.wait(MANY // 2)
        for _ in range(100):
            world.ask(tenant, commands.rotate_key())
        wait_events(world, tenant, DISABLED, MANY)
        assert worker.running


def test_an_update_is_a_fresh_start(world):
    old, new = world.receivers.endpoint().answers(500), world.receivers.endpoint(port=1)
    tenant, webhook = issue_many(world, old)
    old.wait(FAILURES + 8 + 1)
    world.ask(tenant, commands.update(webhook["id"], new.url))
    new.wait(PENDING // 2, timeout=5)
    wait_events(world, tenant, SUCCESS, PENDING)
