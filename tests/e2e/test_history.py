"""GET /v1/deliveries and GET /v1/events: what became of a credential, by the gateway's history."""

import json
import re
import signal
import subprocess
from datetime import datetime

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.programs import ENVIRONMENT
from env.sanitizer import PATIENCE
from env.wait import until

LATER = {"status": 429, "headers": {"retry-after": "3600"}}
BUSY = {"status": 500, "body": "out of order\n\x1b[2J"}


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the third attempt, a moment later; a Retry-After keeps one pending."""
    with make_world(settings={"delivery.retry.schedule": "100ms,100ms", "delivery.retry.jitter": 0}) as world:
        worker = world.worker()
        worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
        yield world


@pytest.fixture
def tenant(world):
    return world.tenant("history")


def answered(client, query):
    return until(lambda: (answer := client("GET", f"/v1/deliveries?{query}")).status == 200 and answer.json, 20, "the past to be read")


def listed(client, **query):
    """The deliveries, all pages of them."""
    items, cursor = [], {}
    while cursor is not None:
        page = answered(client, "&".join(f"{name}={value}" for name, value in (query | cursor).items()))
        items += page["data"]
        cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else None
    return items


def story(client, id):
    return client("GET", f"/v1/deliveries/{id}").json


def short(attempt):
    return attempt.get("status"), attempt.get("reason"), attempt.get("response", {}).get("body")


def three_webhooks(world, client, tenant):
    """A credential to three webhooks: one answers 500 twice, one is dead, one is disabled
    meanwhile. Returns its command and the webhooks' ids.
    """
    endpoints = [world.receivers.endpoint(name) for name in ("late", "dead", "disabled")]
    webhooks = [str(world.webhook(tenant, endpoint)["id"]) for endpoint in endpoints]
    for endpoint, answers in zip(endpoints, ((BUSY, BUSY, 200), (503,), (LATER,)), strict=True):
        endpoint.answers(*answers)
    command = world.issue(tenant, credential_id="c-1")
    assert world.results.end(command).status == 200
    until(lambda: any(d.get("lastStatus") == 429 for d in listed(client, subject="c-1")), 20, "the attempt that is put off")
    write = {"url": endpoints[2].url, "events": [ISSUED], "disabled": True}
    assert client("PUT", f"/v1/webhooks/{webhooks[2]}", write).status == 200
    return command, webhooks


def test_the_story_of_a_credential(world, client, tenant):
    """The deliveries by each filter, and each with its attempts."""
    command, webhooks = three_webhooks(world, client, tenant)
    deliveries = until(lambda: (d := listed(client, subject="c-1")) and all("endedAt" in one for one in d) and d, 20, "all to end")
    by_webhook = {delivery["webhookId"]: story(client, delivery["id"]) for delivery in deliveries}
    late, dead, disabled = (by_webhook[webhook] for webhook in webhooks)
    assert len(deliveries) == 3 and {d["commandId"] for d in deliveries} == {command} and len({d["eventId"] for d in deliveries}) == 1
    assert [d["status"] for d in (late, dead, disabled)] == ["succeeded", "dead", "withdrawn"]
    assert [short(attempt) for attempt in late["attempts"]] == [(500, "status-500", r"out of order\u000a\u001b[2J")] * 2 + [(200, None, None)]
    assert [short(attempt) for attempt in dead["attempts"]] == [(503, "status-503", None)] * 3
    assert [short(attempt) for attempt in disabled["attempts"]] == [(429, "status-429", None)]
    assert (late["lastStatus"], "lastReason" in late, dead["lastReason"], disabled["lastReason"]) == (200, False, "status-503", "webhook-disabled")
    assert late["attempts"][0]["response"] == {"body": r"out of order\u000a\u001b[2J", "address": "127.0.0.1", "httpVersion": "1.1"}
    for delivery in (late, dead, disabled):
        times = [delivery["createdAt"], *(attempt["at"] for attempt in delivery["attempts"]), delivery["endedAt"]]
        assert times == sorted(times) and delivery["attemptCount"] == len(delivery["attempts"])
        assert delivery | {"attempts": None, "completeSince": None} == next(d for d in deliveries if d["id"] == delivery["id"]) | {
            "attempts": None, "completeSince": None,
        }  # fmt: skip
    assert [d["id"] for d in listed(client, subject="c-1", status="dead")] == [dead["id"]]
    assert [d["id"] for d in listed(client, commandId=command, webhookId=webhooks[0])] == [late["id"]]
    assert {d["id"] for d in listed(client, eventId=late["eventId"], limit=1)} == {d["id"] for d in deliveries}
    events = client("GET", f"/v1/events?commandId={command}").json["data"]
    assert [event["type"] for event in events if "deliveryId" not in (event["data"] or {})] == ["OPENID_CREDENTIAL_SUCCESS", "OPENID_CREDENTIAL_START"]
    assert {event["commandId"] for event in events} == {command} and len(events) == 2 + 3 + 3 + 3 + 1 + 1


SECONDS = re.compile(r"^(20\S+Z) +\+(\d+\.\d{3}) s  (.*)$")


def lines_of(lines, delivery):
    """What is told of the delivery, without times."""
    own = (line.removeprefix(f"delivery {delivery} ") for line in lines if line.startswith(f"delivery {delivery} "))
    return [re.sub(r"after \d+ ms|at 20\S+Z", "", line) for line in own]


def test_trace_tells_it_too(world, client, tenant):
    """By each id, in order, on a terminal and as data; --follow ends with the last delivery."""
    command, webhooks = three_webhooks(world, client, tenant)
    timeline = world.admin.ok("trace", "--tenant", tenant, "--follow", "c-1").splitlines()
    times, seconds, lines = zip(*(SECONDS.match(line).groups() for line in timeline), strict=True)
    assert lines[:2] == (
        f"command {command} OPENID_CREDENTIAL_START",
        f"command {command} OPENID_CREDENTIAL_SUCCESS, status 200: credential c-1, deliveries 3",
    )
    assert times[0] == min(times) and seconds[0] == "0.000" and len(lines) == 2 + 4 + 4 + 3
    deliveries = {d["webhookId"]: d["id"] for d in listed(client, subject="c-1")}
    late, dead, disabled = (lines_of(lines, deliveries[webhook]) for webhook in webhooks)
    busy = r"status-500  from 127.0.0.1: out of order\u000a\u001b[2J; next "
    gone = "status-503  from 127.0.0.1"
    recorded = [f"recorded: OpenIdCredentialIssued to webhook {webhook}" for webhook in webhooks]
    assert late == [recorded[0], f"failed: attempt 1, {busy}", f"failed: attempt 2, {busy}", "succeeded: attempt 3, status 200 "]
    assert dead == [recorded[1], f"failed: attempt 1, {gone}; next ", f"failed: attempt 2, {gone}; next ", f"is dead: attempt 3, {gone}"]
    assert disabled == [recorded[2], "failed: attempt 1, status-429  from 127.0.0.1; next ", "withdrawn, webhook-disabled"]
    told = [json.loads(line) for line in world.admin.ok("trace", "--tenant", tenant, "--json", "c-1").splitlines()]
    assert len(told) == len(lines) and {event["commandId"] for event in told} == {command}
    assert {event["data"]["subject"] for event in told[2:]} == {"c-1"}
    for id in (command, told[-1]["data"]["deliveryId"], told[-1]["data"]["eventId"]):
        assert world.admin.ok("trace", "--tenant", tenant, id).splitlines() == timeline, id


def test_trace_follows_what_comes(world, tenant, tmp_path):
    """Each step is told when it happens; the last one ends it."""
    webhook = world.webhook(tenant, world.receivers.endpoint().answers(LATER))
    command, out = world.issue(tenant), tmp_path / "out"
    world.results.end(command)
    with open(out, "w") as stdout:
        arguments = [world.admin.program, "--config", world.admin.config, "trace", "--tenant", tenant, "--follow", command]
        trace = subprocess.Popen(arguments, stdout=stdout, env=ENVIRONMENT)
    try:
        until(lambda: "failed: attempt 1, status-429" in out.read_text(), 20, "the first attempt")
        assert trace.poll() is None
        world.ask(tenant, commands.delete(webhook["id"]))
        assert trace.wait(20 * PATIENCE) == 0
    finally:
        trace.kill()
    assert "withdrawn, webhook-deleted" in out.read_text().splitlines()[-1]


# What a stranger asks, by what another tenant has. Each is answered as where nobody has it.
ATTEMPTS = {
    "nothing": "",
    "subject": "subject={subject}",
    "command": "commandId={commandId}",
    "event": "eventId={eventId}",
    "webhook": "webhookId={webhookId}",
    "delivery's webhook and state": "webhookId={webhookId}&status=dead",
    "state": "status=dead",
    "HTTP status": "httpStatus=418",
    "beginning": "from={createdAt}",
    "end": "to={endedAt}",
    "both": "from={createdAt}&to={endedAt}",
    "cursor": "cursor={cursor}",
    "cursor and subject": "cursor={cursor}&subject={subject}",
    "everything": "subject={subject}&commandId={commandId}&eventId={eventId}&webhookId={webhookId}&status=dead&httpStatus=418&from={createdAt}",
}  # fmt: skip
NOBODY = "00000000-0000-4000-8000-000000000000"
NOBODYS = {"subject": "c-nobody", "commandId": "command-nobody", "eventId": NOBODY, "webhookId": NOBODY, "id": NOBODY}


@pytest.fixture(scope="module")
def others(world, gateway):
    """A delivery of another tenant, dead of 418, as a list shows it, with a cursor behind it."""
    tenant = world.tenant("other")
    client = world.client(gateway, tenant)
    world.webhook(tenant, world.receivers.endpoint().answers(418))
    world.issue(tenant, credential_id="c-other")
    (delivery,) = until(lambda: listed(client, subject="c-other", status="dead", httpStatus=418), 20, "the delivery to die")
    page = client("GET", "/v1/events?limit=1").json
    return delivery | {"cursor": page["nextCursor"]}


@pytest.fixture(scope="module")
def stranger(world, gateway, others):
    """Has a delivery too, so that an answer might have something."""
    tenant = world.tenant("stranger")
    client = world.client(gateway, tenant)
    world.webhook(tenant, world.receivers.endpoint())
    world.issue(tenant, credential_id="c-own")
    until(lambda: listed(client, subject="c-own", status="succeeded"), 20, "its delivery")
    return client


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/events"])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_of_another_tenant_by_any_filter(stranger, others, attempt, path):
    answer = stranger("GET", f"{path}?{ATTEMPTS[attempt].format(**others)}")
    nobodys = stranger("GET", f"{path}?{ATTEMPTS[attempt].format(**others | NOBODYS)}")
    assert (answer.status, answer.json) == (200, nobodys.json)
    for name in ("id", "webhookId", "commandId", "eventId", "subject"):
        assert others[name].encode() not in answer.body, name


def without_ids(answer, *ids):
    return re.sub("|".join(map(re.escape, ids)), "ID", answer.body.decode())


@pytest.mark.parametrize("request_", ["GET /v1/deliveries/{id}", "POST /v1/deliveries/{id}/resend", "GET /v1/webhooks/{webhookId}/deliveries"])
def test_nothing_of_another_tenant_by_its_id(world, stranger, others, request_):
    method, path = request_.split()
    answer, nobodys = stranger(method, path.format(**others)), stranger(method, path.format(**others | NOBODYS))
    own = others["id"], others["webhookId"], NOBODY
    assert (answer.status, nobodys.status) == (404, 404) and without_ids(answer, *own) == without_ids(nobodys, *own)
    world.results.catch_up()
    assert not any(event.type == "WEBHOOK_EVENT_RESEND" for event in world.results.by_delivery[others["id"]])


@pytest.mark.parametrize("name", ["subject", "commandId", "eventId", "id"])
def test_trace_tells_nothing_of_another_tenant(world, others, name):
    asked = world.tenant("stranger")
    nothing = world.admin("trace", "--tenant", asked, others[name])
    assert (nothing.code, nothing.out) == (1, "") and f"tenant {asked} has nothing of {others[name]}" in nothing.err


def test_statistics_equal_the_attempts(world, client, gateway, tenant):
    """Of each webhook its own attempts, by the events, and nothing of another tenant's."""
    three_webhooks(world, client, tenant)
    until(lambda: (d := listed(client, subject="c-1")) and all("endedAt" in one for one in d), 20, "all to end")
    stranger = world.client(gateway, world.tenant("stranger"))
    for webhook in client("GET", "/v1/webhooks").json["data"]:
        events = client("GET", f"/v1/events?webhookId={webhook['id']}&type=WEBHOOK_EVENT_*").json["data"]
        attempts = [event for event in events if event["data"]["durationMs"] is not None]
        failed = [event for event in attempts if event["type"] != "WEBHOOK_EVENT_PROCESS_SUCCESS"]
        statistics = client("GET", f"/v1/webhooks/{webhook['id']}/statistics").json
        assert (statistics["succeeded"], statistics["failed"], statistics["failures"]) == (len(attempts) - len(failed), len(failed), failed)
        assert len(failed) > 0 and len(statistics["hours"]) == 24
        for outcome in ("succeeded", "failed"):
            assert sum(hour[outcome] for hour in statistics["hours"]) == statistics[outcome]
        longest = max(event["data"]["durationMs"] for event in attempts)
        assert longest * 7 / 8 <= statistics["durationMs"]["p99"] <= longest * 9 / 8
        nothing = stranger("GET", f"/v1/webhooks/{webhook['id']}/statistics").json
        assert (nothing["succeeded"], nothing["failed"], nothing["failures"], "durationMs" in nothing) == (0, 0, [], False)
    assert client("GET", "/v1/webhooks/x/statistics").json["details"][0]["param"] == "id"


WRONG = {
    "subject=": ["subject"], "eventId=x": ["eventId"], "webhookId=1": ["webhookId"], "status=gone": ["status"], "httpStatus=20": ["httpStatus"],
    "from=today&to=x": ["from", "to"], "limit=0": ["limit"], "cursor=-1": ["cursor"], "commandId=a&commandId=b": ["commandId"],
}  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_filter_is_named(client, query):
    for path in ("/v1/deliveries", "/v1/events"):
        answer = client("GET", f"{path}?{query}")
        assert (answer.status, [detail["param"] for detail in answer.json["details"]]) == (400, WRONG[query])


def told(world, tenant):
    """{delivery id: (when it was recorded, the number of its attempts)}, by the topic."""
    world.results.catch_up()
    mine = {id: events for id, events in world.results.by_delivery.items() if events[0].tenantId == tenant}
    return {str(id): (events[0].milliseconds, sum(event.data["durationMs"] is not None for event in events)) for id, events in mine.items()}


def milliseconds(time):
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def kept(client):
    """The same, by the gateway. One that is not whole has no time of its recording."""
    return {d["id"]: ("createdAt" in d and milliseconds(d["createdAt"]), d["attemptCount"]) for d in listed(client, limit=1000)}


def complete_since(client):
    return answered(client, "limit=1")["completeSince"]


MANY = 3 * 100 * 3 * 2


@pytest.fixture(scope="module")
def crowded(world):
    """A tenant with many deliveries, and the gateway that was killed while it folded them, twice,
    and then lost its file.
    """
    tenant, gateway = world.tenant("crowded"), world.gateway("gateway-2")
    for _ in range(3):
        world.webhook(tenant, world.receivers.endpoint(), events=[ISSUED, SUMMARY])
    for turn in range(3):
        for _ in range(100):
            world.writer.issuance(commands.issuance(tenant))
        world.writer.flush()
        until(lambda: gateway.metric("posthorn_gateway_history_events_total") > 0, 20, "it to fold")
        gateway.kill()
        if turn == 2:
            for file in gateway.data.glob("history.db*"):
                file.unlink()
        gateway.start()
    succeeded = lambda: [types for types in world.results.deliveries(tenant).values() if types[-1] == "WEBHOOK_EVENT_PROCESS_SUCCESS"]
    world.results.wait(lambda: len(succeeded()) == MANY, 60, "all deliveries to end")
    return tenant, gateway


def test_the_history_after_kill_9_and_without_its_file(world, crowded):
    """It equals the topic."""
    tenant, gateway = crowded
    client = world.client(gateway, tenant)
    until(lambda: len(listed(client, limit=1000, status="succeeded")) == MANY, 60, "all deliveries in the history")
    assert kept(client) == told(world, tenant)
    assert complete_since(client).startswith("1970")


def test_a_history_of_a_bounded_size_says_from_when_on_it_is_complete(world, crowded):
    """From then on it equals the topic. What is older is there in part, and says so."""
    tenant, _ = crowded
    gateway = world.gateway("gateway-4", history_max_bytes=1 << 20)
    client = world.client(gateway, tenant)

    def pruned():
        found, since = kept(client), milliseconds(complete_since(client))
        return since > 0 and 0 < len(found) < MANY and gateway.metric("posthorn_gateway_history_bytes") <= 1 << 20 and (found, since)

    found, since = until(pruned, 60, "the oldest to leave")
    wanted = told(world, tenant)
    assert {id: row for id, row in found.items() if row[0]}.items() <= wanted.items()
    assert {id for id, (at, _) in wanted.items() if at >= since} <= {id for id, (at, _) in found.items() if at}


def lose(world, tenant):
    """A credential that is issued and delivered, and whose events are deleted."""
    before = len(world.results.catch_up().deliveries(tenant))
    lost = world.issue(tenant, credential_id="c-lost")
    world.results.end(lost)
    delivered = lambda: [types for types in world.results.deliveries(tenant).values() if types[-1] == "WEBHOOK_EVENT_PROCESS_SUCCESS"]
    world.results.wait(lambda: len(delivered()) == before + 1, 20, "its delivery")
    world.delete_records("webhook-results")


def ended_well(client):
    return {delivery["subject"] for delivery in listed(client, status="succeeded")}


@pytest.mark.parametrize("how", ["stopped", "paused"])
def test_a_topic_that_was_cut_is_told(world, tenant, how):
    """Records are deleted while the gateway does not read. The answer says from when on it is
    complete, also before anything else comes. A paused one may have been sent the beginning of what
    was lost, and never its end.
    """
    gateway = world.gateway(f"gateway-{how}")
    client = world.client(gateway, tenant)
    world.webhook(tenant, world.receivers.endpoint())
    first = world.issue(tenant, credential_id="c-first")
    until(lambda: listed(client, commandId=first, status="succeeded"), 20, "the first delivery")
    before = complete_since(client)
    if how == "paused":
        gateway.process.send_signal(signal.SIGSTOP)
    else:
        gateway.stop()
    lose(world, tenant)
    if how == "paused":
        gateway.process.send_signal(signal.SIGCONT)
    else:
        gateway.start()
    until(lambda: complete_since(client) > before, 60, "the loss to be told")
    assert ended_well(client) == {"c-first"}
    last = world.issue(tenant, credential_id="c-last")
    (delivery,) = until(lambda: listed(client, commandId=last, status="succeeded"), 20, "the last delivery")
    assert ended_well(client) == {"c-first", "c-last"}
    assert complete_since(client) <= delivery["createdAt"]
