"""Sending again: one delivery by its id, or a webhook's ended ones in turns."""

import re

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.wait import until

LATER = {"status": 429, "headers": {"retry-after": "3600"}}
PROCESSED, FAILED, RETRIED = "WEBHOOK_EVENT_PROCESS_SUCCESS", "WEBHOOK_EVENT_PROCESS_FAIL", "WEBHOOK_EVENT_RETRY"


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the second attempt, which only a resending brings near; what succeeds is kept."""
    settings = {
        "delivery.retry.schedule": "1h",
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


def ended(world, tenant, last, count=1, timeout=60):
    """The ids of the tenant's deliveries, when so many have come to such an end."""

    def found():
        mine = {id: events for id, events in world.results.by_delivery.items() if events and events[0].tenantId == tenant}
        ids = [str(id) for id, events in mine.items() if events[-1].type == last]
        return len(ids) >= count and ids

    return world.results.wait(found, timeout, f"{count} deliveries with {last}")


def steps_of(world, id):
    return [event.type.removeprefix("WEBHOOK_EVENT_") for event in world.results.by_delivery[id]]


def die(world, tenant):
    """A delivery's second and last attempt."""
    (id,) = ended(world, tenant, RETRIED)
    assert world.ask(tenant, commands.resend(id)).status == 202
    assert ended(world, tenant, FAILED) == [id]
    return id


@pytest.mark.parametrize("way", ["kafka", "http", "admin"])
def test_a_dead_delivery_is_sent_again(world, client, tenant, way):
    endpoint = world.receivers.endpoint().answers(500, 500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-1")
    id = die(world, tenant)
    assert resend(way, world, client, tenant, id) == 202
    requests = endpoint.wait(3)
    assert {request.id for request in requests} == {id} and len({request.body for request in requests}) == 1
    ended(world, tenant, PROCESSED)
    told = until(lambda: (story := client("GET", f"/v1/deliveries/{id}").json).get("status") == "succeeded" and story, 20, "the history")
    assert [attempt.get("status") for attempt in told["attempts"]] == [500, 500, 200]
    lines = world.admin.ok("trace", "--tenant", tenant, id).splitlines()
    assert any(f"delivery {id} is resent, due at 20" in line for line in lines), lines


def test_a_pending_delivery_is_sent_now(world, client, tenant):
    """In the pause of its schedule, of which it is the next attempt."""
    endpoint = world.receivers.endpoint().answers(500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    (id,) = ended(world, tenant, RETRIED)
    assert resend("http", world, client, tenant, id) == 202
    assert [request.id for request in endpoint.wait(2)] == [id, id]
    ended(world, tenant, PROCESSED)
    assert steps_of(world, id) == ["RECEIVE", "RETRY", "RESEND", "PROCESS_SUCCESS"]
    until(lambda: client("GET", f"/v1/deliveries/{id}").json.get("attemptCount") == 2, 20, "the history")


def test_it_goes_past_a_pause_that_the_endpoint_asked_for(world, client, tenant):
    """Alone: the pause goes on for the others, also for one that was recorded meanwhile; which goes
    when it is asked for.
    """
    endpoint = world.receivers.endpoint().answers(LATER, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    (first,) = ended(world, tenant, RETRIED)
    world.issue(tenant)
    (second,) = ended(world, tenant, "WEBHOOK_EVENT_RECEIVE")
    assert resend("http", world, client, tenant, first) == 202
    assert [request.id for request in endpoint.wait(2)] == [first, first]
    ended(world, tenant, PROCESSED)
    other = world.receivers.endpoint()
    webhook = world.webhook(tenant, other)
    assert world.ask(tenant, commands.send_test(webhook["id"])).status == 202
    other.wait()
    assert len(endpoint.requests) == 2 and steps_of(world, second) == ["RECEIVE"]
    assert resend("http", world, client, tenant, second) == 202
    assert endpoint.wait(3)[2].id == second
    world.delivered(second)
    assert steps_of(world, second) == ["RECEIVE", "PROCESS_SUCCESS"]


def test_one_that_succeeded_is_kept_and_sent_again(world, client, tenant):
    endpoint = world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-kept")
    (id,) = ended(world, tenant, PROCESSED)
    kept = world.admin.json("delivery", "list", "--tenant", tenant, "--status", "succeeded")
    assert (kept["id"], kept["attempts"], kept["lastStatus"], kept["nextAttemptAt"]) == (id, 1, 200, None)
    assert client("GET", f"/v1/webhooks/{webhook['id']}/deliveries").json["data"] == []
    assert resend("http", world, client, tenant, id) == 202
    assert [request.id for request in endpoint.wait(2)] == [id, id]
    ended(world, tenant, PROCESSED)
    recover = {"since": 0, "status": "succeeded", "subject": "c-kept"}
    until(lambda: client("POST", f"/v1/webhooks/{webhook['id']}/recover", recover).json["deliveries"] == 1, 20, "its second success")
    assert [request.id for request in endpoint.wait(3)] == [id, id, id]
    assert client("POST", f"/v1/webhooks/{webhook['id']}/recover", recover | {"subject": "c-other"}).json["deliveries"] == 0


TURN = 1000  # deliveries, as domain/limits.h has it
MANY = 2 * TURN + 300
BEHIND = 600  # commands between a turn and the next one


def many_that_succeeded(world, tenant, endpoint):
    webhook = world.webhook(tenant, endpoint, events=[ISSUED, SUMMARY])
    for _ in range(MANY // 2):
        world.writer.issuance(commands.issuance(tenant))
    world.writer.flush()
    ended(world, tenant, PROCESSED, MANY, timeout=120)
    return webhook


def resent_of(world, tenant):
    return [event for event in world.results.events if event.type == "WEBHOOK_EVENT_RESEND" and event.tenantId == tenant]


def test_a_recovery_works_through_any_number(world, client, tenant):
    """In turns, behind other commands of the tenant. Meanwhile its repetition is told how far it
    is; its worker is killed; and in the end each delivery is due once more, and all are counted.
    """
    endpoint = world.receivers.endpoint()
    webhook = many_that_succeeded(world, tenant, endpoint)
    recovery = commands.command(tenant, commands.recover(webhook["id"], status="succeeded"))
    for value in (recovery, recovery):
        world.writer.command(value)
    for _ in range(BEHIND):
        world.writer.ask(tenant, commands.retrieve_all(limit=1))
    world.writer.flush()
    progress = next(event for event in world.results.of(recovery["commandId"]) if event.status)
    worker = world.workers[0]
    worker.kill()
    assert (progress.status, progress.repeat, progress.data["deliveries"]) == (202, True, TURN)
    assert TURN <= len(resent_of(world, tenant)) < MANY, "it was killed too late"
    worker.start()
    events = world.results.of(recovery["commandId"], ends=2, timeout=60)
    answer = events[-1]
    assert [event.repeat for event in events] == [False, True, True, False]
    assert (answer.type, answer.status, answer.data) == ("WEBHOOK_RECOVER_SUCCESS", 200, {"deliveries": MANY})
    resent = resent_of(world, tenant)
    assert len(resent) == len({event.data["deliveryId"] for event in resent}) == MANY
    ended(world, tenant, PROCESSED, MANY, timeout=120)
    again = world.ask(tenant, commands.recover(webhook["id"], status="succeeded", until=1))
    assert (again.status, again.data) == (200, {"deliveries": 0})
    http = client("POST", f"/v1/webhooks/{webhook['id']}/recover", {"since": 0}, {"idempotency-key": recovery["commandId"]})
    assert http.status == 409, "the id is another command's"


def test_what_is_refused(world, client, tenant):
    endpoint = world.receivers.endpoint().answers(500)
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant)
    id = die(world, tenant)
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
