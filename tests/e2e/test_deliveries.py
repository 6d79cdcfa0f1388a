"""What an operator does: looks at deliveries that have not succeeded, makes dead ones due again,
sends a test, rotates a key.
"""

import json
import time
from datetime import datetime, timezone

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.verifier import Jwks, verify
from env.wait import until

SUCCESS, REFUSED, USAGE, NO_OUTCOME = range(4)
RETRY, FAIL = "WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_FAIL"
NOBODY = "00000000-0000-4000-8000-000000000000"
MEMBERS = ["id", "webhookId", "eventType", "status", "attempts", "lastStatus", "lastReason", "nextAttemptAt", "diedAt", "createdAt"]


@pytest.fixture(scope="module")
def world(make_world):
    """The second failure of a delivery is its last."""
    with make_world(settings={"delivery.retry.schedule": "1500ms", "delivery.retry.jitter": 0}) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def slow(make_world):
    """Another, in which a delivery that failed stays pending."""
    with make_world(settings={"delivery.retry.schedule": "1h"}) as world:
        world.worker()
        yield world


def listed(world, tenant, *flags):
    return [json.loads(line) for line in world.admin.ok("delivery", "list", "--tenant", tenant, "--json", *flags).splitlines()]


def milliseconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def kill(world, tenant, count=1, status=500):
    """A webhook with dead deliveries. Returns it, its endpoint, and their ids as they came."""
    endpoint = world.receivers.endpoint().answers(status)
    webhook = world.webhook(tenant, endpoint)
    for _ in range(count):
        world.results.end(world.issue(tenant, claims={"name": "Ada"}))
    ids = [id for id, events in world.results.by_delivery.items() if events[0].data["webhookId"] == webhook["id"]]
    for id in ids:
        world.delivered(id, FAIL)
    return webhook, endpoint, ids


# delivery list


def test_a_tenant_without_deliveries(world):
    tenant = world.tenant()
    assert listed(world, tenant) == []
    assert world.admin.ok("delivery", "list", "--tenant", tenant).split() == ("ID WEBHOOK EVENT STATUS ATTEMPTS LAST NEXT / ENDED CREATED".split())


def test_pending(slow):
    tenant, endpoint = slow.tenant(), slow.receivers.endpoint().answers(503)
    webhook = slow.webhook(tenant, endpoint)
    command = slow.issue(tenant)
    (id,) = slow.results.wait(lambda: list(slow.results.deliveries(tenant)), what="the delivery")
    failed = slow.delivered(id, RETRY)[-1]
    (delivery,) = listed(slow, tenant)
    assert list(delivery) == MEMBERS
    assert (delivery["id"], delivery["webhookId"], delivery["eventType"]) == (id, webhook["id"], ISSUED)
    assert (delivery["status"], delivery["attempts"], delivery["lastStatus"]) == ("pending", 1, 503)
    assert delivery["lastReason"] == failed.data["reason"] == "status-503" and delivery["diedAt"] is None
    assert round(milliseconds(delivery["nextAttemptAt"])) == failed.data["nextAttemptAt"]
    assert 0 <= slow.results.end(command).milliseconds - milliseconds(delivery["createdAt"]) < 1000


def test_dead(world):
    tenant = world.tenant()
    webhook, _, (id,) = kill(world, tenant)
    (delivery,) = listed(world, tenant)
    assert (delivery["id"], delivery["webhookId"], delivery["status"], delivery["attempts"]) == (id, webhook["id"], "dead", 2)
    assert delivery["nextAttemptAt"] is None
    assert abs(milliseconds(delivery["diedAt"]) - world.results.by_delivery[id][-1].milliseconds) < 1000
    assert milliseconds(delivery["createdAt"]) < milliseconds(delivery["diedAt"]) < time.time() * 1000


def test_what_has_succeeded_is_not_listed(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    world.delivered(endpoint.wait()[0].id)
    assert listed(world, tenant) == []


def test_only_what_is_asked_for_and_no_other_tenants(slow):
    tenant, other = slow.tenant(), slow.tenant("other")
    first = slow.webhook(tenant, slow.receivers.endpoint().answers(500))
    second = slow.webhook(tenant, slow.receivers.endpoint().answers(500), events=[SUMMARY])
    slow.webhook(other, slow.receivers.endpoint().answers(500))
    for owner in (tenant, tenant, other):
        slow.results.end(slow.issue(owner))
    everything = listed(slow, tenant)
    assert len(everything) == 4 and len(listed(slow, other)) == 1
    order = [(delivery["createdAt"], delivery["id"]) for delivery in everything]
    assert order == sorted(order)
    assert listed(slow, tenant, "--limit", 3) == everything[:3]
    assert {delivery["eventType"] for delivery in listed(slow, tenant, "--webhook", first["id"])} == {ISSUED}
    assert {delivery["webhookId"] for delivery in listed(slow, tenant, "--webhook", second["id"].upper())} == {second["id"]}
    assert listed(slow, tenant, "--webhook", NOBODY) == listed(slow, other, "--webhook", first["id"]) == []
    assert listed(slow, tenant, "--status", "pending") == everything and listed(slow, tenant, "--status", "dead") == []
    table = slow.admin.ok("delivery", "list", "--tenant", tenant, "--limit", 1).splitlines()
    assert table[0].startswith("ID ") and everything[0]["id"] in table[1] and table[2:] == ["3 more: --limit 4 shows all"]


def test_bodies_are_shown_only_when_they_are_asked_for(slow):
    tenant, endpoint = slow.tenant(), slow.receivers.endpoint().answers(500)
    slow.webhook(tenant, endpoint)
    slow.issue(tenant, credential="a-secret-credential", claims={"name": "Ada\u0085"})
    (request,) = endpoint.wait()
    for flags in ([], ["--json"]):
        assert "a-secret-credential" not in slow.admin.ok("delivery", "list", "--tenant", tenant, *flags)
    (delivery,) = listed(slow, tenant, "--with-body")
    assert list(delivery) == [*MEMBERS, "body"] and delivery["body"].encode() == request.body
    table = slow.admin.ok("delivery", "list", "--tenant", tenant, "--with-body")
    assert "a-secret-credential" in table and "\u0085" not in table


@pytest.mark.parametrize(
    "flags",
    [
        ["--webhook", "nothing"],
        ["--status", "withdrawn"],
        ["--status", ""],
        ["--limit", "0"],
        ["--limit", "many"],
        ["--limit", ""],
        ["--nothing"],
        ["operand"],
    ],
    ids=" ".join,
)
def test_wrong_usage_of_delivery_list(world, flags):
    answer = world.admin("delivery", "list", "--tenant", "nobody", *flags)
    assert answer.code == USAGE and answer.err and not answer.out
    assert world.admin("delivery", "list").code == USAGE, "without a tenant"


# webhook test


def test_webhook_test(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint)
    outcome = world.admin.json("webhook", "test", webhook["id"], "--tenant", tenant)
    assert (outcome["webhookId"], outcome["eventType"]) == (webhook["id"], "WebhookTest")
    (request,) = endpoint.wait()
    assert request.id == outcome["deliveryId"] and request.json["event"]["type"] == "WebhookTest"
    assert verify(request, Jwks(world.admin.jwks(tenant)))
    text = world.admin.ok("webhook", "test", webhook["id"], "--tenant", tenant)
    assert webhook["id"] in text and "WebhookTest" in text


# webhook recover


def test_webhook_recover(world):
    tenant = world.tenant()
    webhook, endpoint, ids = kill(world, tenant, count=2)
    endpoint.answers(200)
    recover = ["webhook", "recover", webhook["id"], "--tenant", tenant, "--since"]
    assert world.admin.json(*recover, "2h") == {"deliveries": 2}
    assert all(world.delivered(id)[-1].data["status"] == 200 for id in ids)
    assert sorted(request.id for request in endpoint.requests if request.answered == 200) == sorted(ids)
    assert world.admin.json(*recover, "2h") == {"deliveries": 0} and listed(world, tenant) == []
    assert world.admin.ok(*recover, "2h") == "deliveries due again  0\n"


def test_webhook_recover_takes_only_those_that_died_since(world):
    tenant = world.tenant()
    webhook, _, _ = kill(world, tenant)
    died = listed(world, tenant)[0]["diedAt"]
    later = datetime.fromtimestamp(milliseconds(died) / 1000 + 0.001, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    recover = ["webhook", "recover", webhook["id"], "--tenant", tenant, "--since"]
    assert world.admin.json(*recover, later) == {"deliveries": 0}
    assert world.admin.json(*recover, died) == {"deliveries": 1}


# jwks rotate


def test_jwks_rotate(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    (old,) = [key["kid"] for key in world.admin.jwks(tenant)["keys"]]
    new = world.admin.json("jwks", "rotate", "--tenant", tenant)["kid"]
    newest = world.admin.ok("jwks", "rotate", "--tenant", tenant).split()[1]
    assert [key["kid"] for key in world.admin.jwks(tenant)["keys"]] == [newest, new, old]
    world.issue(tenant)
    assert verify(endpoint.wait()[0], Jwks(world.admin.jwks(tenant))) == newest


def test_a_rotation_that_is_repeated_has_one_effect(world):
    tenant = world.tenant()
    first, again = (world.admin.json("jwks", "rotate", "--tenant", tenant, "--command-id", "the-same") for _ in range(2))
    assert first == again and [key["kid"] for key in world.admin.jwks(tenant)["keys"]] == [first["kid"]]


# What they exit with

SINCE = ["--since", "2h"]
ASKING = {"test": ["webhook", "test"], "recover": ["webhook", "recover"], "rotate": ["jwks", "rotate"]}


@pytest.mark.parametrize("verb, flags", [("test", []), ("recover", SINCE)])
def test_refused(world, verb, flags):
    """No such webhook; another tenant's; one that is disabled; an id that is none."""
    tenant, other = world.tenant(), world.tenant("other")
    url = world.receivers.endpoint().url
    disabled = world.ask(tenant, commands.create(url, disabled=True)).data["id"]
    theirs = world.ask(other, commands.create(url)).data["id"]
    for id, code in ((NOBODY, "NotFound"), (theirs, "NotFound"), (disabled, "Conflict"), ("nothing", "BadRequest")):
        answer = world.admin(*ASKING[verb], id, "--tenant", tenant, *flags)
        assert (answer.code, answer.out, json.loads(answer.err)["code"]) == (REFUSED, "", code), answer


@pytest.mark.parametrize(
    "arguments",
    [
        ["webhook", "test"],
        ["webhook", "test", NOBODY, NOBODY],
        ["webhook", "test", NOBODY, "--since", "2h"],
        ["webhook", "recover", NOBODY],
        ["webhook", "recover", *SINCE],
        ["webhook", "recover", NOBODY, "--since", "yesterday"],
        ["webhook", "recover", NOBODY, "--since", ""],
        ["jwks", "rotate", NOBODY],
        ["jwks", "show", "--command-id", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage(world, arguments):
    answer = world.admin(*arguments, "--tenant", "nobody")
    assert answer.code == USAGE and answer.err and not answer.out


@pytest.mark.parametrize("arguments", [["webhook", "test", NOBODY], ["webhook", "recover", NOBODY, *SINCE], ["jwks", "rotate"]], ids=" ".join)
def test_no_outcome_in_time(fresh_world, arguments):
    answer = fresh_world.admin(*arguments, "--tenant", "nobody", "--timeout", "500ms")
    assert answer.code == NO_OUTCOME and answer.err and not answer.out


def test_no_broker(world):
    answer = world.admin("--set", "kafka.bootstrap.servers=127.0.0.1:1", "delivery", "list", "--tenant", "nobody", "--timeout", "1s")
    assert answer.code == NO_OUTCOME and answer.err and not answer.out


@pytest.mark.parametrize("command", [["delivery", "list"], *ASKING.values(), ["master-key", "generate"]], ids=" ".join)
def test_help_has_an_example_of_each(world, command):
    text = world.admin.ok(*command, "--help")
    assert f"posthorn-admin {' '.join(command)} " in text.partition("examples:")[2]


def test_an_unreadable_delivery_is_said_and_the_others_are_shown(slow):
    """Somebody wrote to the changelog by other means; its partition is then no worker's to serve
    again, so this comes last.
    """
    tenant, endpoint = slow.tenant(), slow.receivers.endpoint().answers(500)
    slow.webhook(tenant, endpoint)
    slow.results.end(slow.issue(tenant))
    slow.writer.place("webhook-state", f"delivery/{NOBODY}", b"nonsense", partition=listed_partition(slow, tenant))
    until(lambda: slow.admin("delivery", "list", "--tenant", tenant).code == REFUSED, what="the broken record to be read")
    answer = slow.admin("delivery", "list", "--tenant", tenant, "--json")
    assert answer.code == REFUSED and NOBODY in answer.err and len(answer.out.splitlines()) == 1


def listed_partition(world, tenant):
    lines = [json.loads(line) for line in world.admin.dump().splitlines()]
    return next(line["partition"] for line in lines if line["key"].startswith(f"webhook/{tenant}/"))
