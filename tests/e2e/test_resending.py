"""Sending again: one delivery by its id, or a webhook's ended ones in turns."""

import re

import pytest
from env import commands
from env.wait import until


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the second attempt, which a resending can bring near; what succeeds is kept."""
    settings = {
        "delivery.retry.schedule": "10s",
        "delivery.retry.jitter": 0,
        "delivery.breaker.failures": 1_000_000,
        "delivery.succeeded.retention": "1h",
    }
    with make_world(settings=settings) as world:
        worker = world.worker()
        worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
        yield world


@pytest.fixture
def tenant(world):
    return world.tenant("resend")


def resend(way, world, client, tenant, id):
    """By each way in which it can be asked for; returns the status."""
    if way == "kafka":
        return world.ask(tenant, commands.resend(id)).status
    if way == "http":
        return client("POST", f"/v1/deliveries/{id}/resend").status
    answer = world.admin("delivery", "resend", "--tenant", tenant, id)
    return 202 if answer.code == 0 else int(re.search(r"\b(\d{3})\b", answer.err)[1])


def ended(world, tenant, last, count=1):
    """The ids of the tenant's deliveries, when so many have come to such an end."""

    def found():
        mine = {id: events for id, events in world.results.by_delivery.items() if events and events[0].tenantId == tenant}
        ids = [str(id) for id, events in mine.items() if events[-1].type == last]
        return len(ids) >= count and ids

    return world.results.wait(found, 60, f"{count} deliveries with {last}")


@pytest.mark.parametrize("way", ["kafka", "http", "admin"])
def test_a_dead_delivery_is_sent_again(world, client, tenant, way):
    endpoint = world.receivers.endpoint().answers(500, 500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-1")
    (id,) = ended(world, tenant, "WEBHOOK_EVENT_PROCESS_FAIL")
    assert resend(way, world, client, tenant, id) == 202
    requests = endpoint.wait(3)
    assert {request.id for request in requests} == {id} and len({request.body for request in requests}) == 1
    ended(world, tenant, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    told = until(lambda: (story := client("GET", f"/v1/deliveries/{id}").json)["status"] == "succeeded" and story, 20, "the history")
    assert [attempt.get("status") for attempt in told["attempts"]] == [500, 500, 200]
    lines = world.admin.ok("trace", "--tenant", tenant, id).splitlines()
    assert any(f"delivery {id} is resent, due at 20" in line for line in lines), lines


def test_a_pending_delivery_is_sent_now(world, client, tenant):
    """Also in the pause of its schedule; a pause that its endpoint asked for holds."""
    endpoint = world.receivers.endpoint().answers(500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    (id,) = ended(world, tenant, "WEBHOOK_EVENT_RETRY")
    assert resend("http", world, client, tenant, id) == 202
    assert [request.id for request in endpoint.wait(2)] == [id, id]
    ended(world, tenant, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    steps = [event.type.removeprefix("WEBHOOK_EVENT_") for event in world.results.by_delivery[id]]
    assert steps == ["RECEIVE", "RETRY", "RESEND", "PROCESS_SUCCESS"]
    until(lambda: client("GET", f"/v1/deliveries/{id}").json["attemptCount"] == 2, 20, "the history")


def test_one_that_succeeded_is_kept_and_sent_again(world, client, tenant):
    endpoint = world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-kept")
    (id,) = ended(world, tenant, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    kept = world.admin.json("delivery", "list", "--tenant", tenant, "--status", "succeeded")
    assert (kept["id"], kept["attempts"], kept["lastStatus"], kept["nextAttemptAt"]) == (id, 1, 200, None)
    assert client("GET", f"/v1/webhooks/{webhook['id']}/deliveries").json["data"] == []
    assert resend("http", world, client, tenant, id) == 202
    assert [request.id for request in endpoint.wait(2)] == [id, id]
    ended(world, tenant, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    recover = {"since": 0, "status": "succeeded", "subject": "c-kept"}
    until(lambda: client("POST", f"/v1/webhooks/{webhook['id']}/recover", recover).json["deliveries"] == 1, 20, "its second success")
    assert [request.id for request in endpoint.wait(3)] == [id, id, id]
    assert client("POST", f"/v1/webhooks/{webhook['id']}/recover", recover | {"subject": "c-other"}).json["deliveries"] == 0


def test_what_is_refused(world, client, tenant):
    endpoint = world.receivers.endpoint().answers(500)
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant)
    (id,) = ended(world, tenant, "WEBHOOK_EVENT_PROCESS_FAIL")
    stranger = world.tenant("stranger")
    assert world.ask(stranger, commands.resend(id)).status == 404
    assert [resend(way, world, client, tenant, "00000000-0000-4000-8000-000000000000") for way in ("kafka", "http")] == [404, 404]
    world.ask(tenant, commands.update(webhook["id"], endpoint.url, disabled=True))
    end = world.ask(tenant, commands.resend(id))
    assert (end.status, end.data["details"][0]["msg"]) == (409, "Must be to a webhook that is not disabled")
    world.ask(tenant, commands.delete(webhook["id"]))
    assert [resend(way, world, client, tenant, id) for way in ("kafka", "http")] == [409, 409]
    wrong = {"since": "2026-01-31T12:00:00.000Z", "until": "2026-01-30T12:00:00.000Z", "subject": "", "status": "pending"}
    answer = client("POST", f"/v1/webhooks/{webhook['id']}/recover", wrong)
    assert (answer.status, {detail["param"] for detail in answer.json["details"]}) == (400, {"until", "subject", "status"})
    answer = client("POST", f"/v1/webhooks/{webhook['id']}/recover", {"since": 5, "until": 0})
    assert (answer.status, answer.json["details"][0]["msg"]) == (400, "Must not be before since")
