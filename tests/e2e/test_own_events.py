"""Events of one's own, and the members of a webhook that choose among events and pace them."""

import json
import time

import pytest
from env import commands
from env.verifier import verify
from env.wait import until

TYPE, OTHER = "DegreeRevoked", "degree.renewed_v2"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def world(make_world):
    with make_world(settings={"event.types": f"{TYPE},{OTHER}"}) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def tenant(world):
    return world.tenant()


def published(world, tenant, type=TYPE, **fields):
    end = world.results.end(world.publish(tenant, type, **fields))
    assert (end.type, end.status, end.category) == ("WEBHOOK_EVENT_PUBLISH_SUCCESS", 202, "webhook")
    return end.data


def test_an_event_reaches_who_subscribes_to_its_type(world):
    tenant, endpoint, other = world.tenant(), world.receivers.endpoint(), world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint, events=[TYPE, commands.ISSUED])
    world.webhook(tenant, other, events=[OTHER])
    answer = published(world, tenant, payload={"reason": "lost", "at": 1.50}, subject="degree-1")
    assert (answer["eventType"], answer["deliveries"]) == (TYPE, 1)
    (request,) = endpoint.wait()
    event = request.json["event"]
    assert (event["id"], event["type"], event["subject"]) == (answer["eventId"], TYPE, "degree-1")
    assert b'"payload":{"reason": "lost", "at": 1.5}' in request.body, "byte for byte"
    assert (request.headers["posthorn-event-type"], request.headers["posthorn-webhook-id"]) == (TYPE, webhook["id"])
    verify(request, world.jwks(tenant))
    published(world, tenant)
    assert "subject" not in endpoint.wait(2)[1].json["event"]
    assert not other.requests


def test_a_credentials_callback_has_the_headers_too(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant)
    headers = endpoint.wait()[0].headers
    assert (headers["posthorn-event-type"], headers["posthorn-webhook-id"]) == (commands.ISSUED, webhook["id"])


def test_the_same_command_again_is_the_same_callback(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint, events=[TYPE])
    value = commands.own_event(tenant, TYPE)
    for _ in range(2):
        world.writer.event(value)
        world.writer.flush()
        until(lambda: world.results.poll() or world.results.counts["WEBHOOK_EVENT_PROCESS_SUCCESS"], what="a success")
    _, first, _, again = world.results.of(value["commandId"], ends=2)
    assert again.data == first.data
    last = published(world, tenant)
    until(lambda: last["eventId"] in (request.json["event"]["id"] for request in endpoint.requests), what="the event after it")
    assert len({request.id for request in endpoint.requests}) == 2, "that event's, and one of both commands"


def test_json_and_wrong_records(world):
    tenant = world.tenant()
    value = commands.own_event(tenant, TYPE) | {"payload": {"a": 1}}
    world.writer.place("webhook-events", tenant, json.dumps(value).encode())
    assert world.results.end(value["commandId"]).status == 202
    wrong = commands.own_event(tenant, TYPE) | {"payload": 1, "kind": "x"}
    world.writer.place("webhook-events", tenant, json.dumps(wrong).encode())
    end = world.results.end(wrong["commandId"])
    assert (end.type, end.status, [d["param"] for d in end.data["details"]]) == ("WEBHOOK_EVENT_PUBLISH_FAIL", 400, ["kind"])
    partition, offset = world.writer.place("webhook-events", tenant, b"nothing")
    letter = world.dead_letters.of(world.prefix + "webhook-events", offset, partition)
    assert "unknown frame" in letter.reason


def test_a_filter_chooses_and_is_counted(world):
    tenant, endpoint, plain = world.tenant(), world.receivers.endpoint(), world.receivers.endpoint()
    worker = world.workers[0]
    before = worker.metric("posthorn_deliveries_filtered_total")
    world.webhook(tenant, endpoint, events=[TYPE, commands.ISSUED], filter={"subject": ["a", "b"]})
    world.webhook(tenant, plain, events=[TYPE])
    assert [published(world, tenant, subject=subject)["deliveries"] for subject in ("a", "c", None, "b")] == [2, 1, 1, 2]
    assert world.results.end(world.issue(tenant, credential_id="b")).data["deliveries"] == 1
    assert world.results.end(world.issue(tenant, credential_id="c")).data["deliveries"] == 0
    worker.wait_metric(before + 3, "posthorn_deliveries_filtered_total")
    assert [request.json["event"].get("subject") for request in endpoint.wait(3)][:2] == ["a", "b"]


def test_a_rate_limit_is_kept(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    id = world.webhook(tenant, endpoint, events=[TYPE], rateLimit=20)["id"]
    for _ in range(60):
        world.writer.event(commands.own_event(tenant, TYPE))
    world.writer.flush()
    times = sorted(request.time for request in endpoint.wait(60, timeout=30))
    assert times[-1] - times[0] >= 2.5, "60 at 20 a second"
    assert all(times[n + 24] - times[n] >= 0.9 for n in range(len(times) - 24)), "no more than 20 and what may begin at once"
    assert world.ask(tenant, commands.update(id, endpoint.url, events=[TYPE])).status == 200
    for _ in range(60):
        world.writer.event(commands.own_event(tenant, TYPE))
    world.writer.flush()
    begun = time.monotonic()
    endpoint.wait(120)
    assert time.monotonic() - begun < 2.5, "without it all at once"


def test_members_are_shown_where_they_were_given(world, gateway, tenant):
    client = world.client(gateway, tenant)
    members = {"description": "größe", "filter": {"format": ["jwt_vc_json"]}, "rateLimit": 5}
    created = client("POST", "/v1/webhooks", {"url": URL, "events": [TYPE]} | members)
    assert created.status == 201
    shown = client("GET", f"/v1/webhooks/{created.json['id']}").json
    assert shown["filter"] == {"format": ["jwt_vc_json"]}
    assert (shown["description"], shown["rateLimit"]) == ("größe", 5)
    replaced = client("PUT", f"/v1/webhooks/{created.json['id']}", {"url": URL, "events": [commands.ISSUED]})
    assert replaced.json == {"id": created.json["id"], "events": [commands.ISSUED], "url": URL, "disabled": False}


def test_events_over_http_and_by_the_command_line(world, gateway):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    client = world.client(gateway, tenant)
    world.webhook(tenant, endpoint, events=[TYPE])
    answer = client("POST", "/v1/events", {"type": TYPE, "subject": "s", "payload": [1, {"a": None}]}, headers={"idempotency-key": "key-1"})
    assert answer.status == 202 and answer.json.keys() == {"id", "deliveries"} and answer.json["deliveries"] == 1
    again = client("POST", "/v1/events", {"type": TYPE, "subject": "s", "payload": [1, {"a": None}]}, headers={"idempotency-key": "key-1"})
    assert (again.status, again.json["id"]) == (202, answer.json["id"])
    assert endpoint.wait()[0].json["event"]["id"] == answer.json["id"]
    by_command = world.admin.json("event", "publish", "--tenant", tenant, "--type", TYPE, "--payload", '{"b":2}')
    assert by_command["deliveries"] == 1
    lines = "".join(json.dumps({"eventType": TYPE, "payload": n, "tenantId": tenant}) + "\n" for n in range(3))
    summary = world.admin.json("event", "publish", "--file", "-", "--wait", input=lines)
    assert (summary["sent"], summary["succeeded"], summary["failed"]) == (3, 3, 0)


def test_workers_that_disagree_about_types_say_so_and_go_on(fresh_world):
    """Each is told by the positions of the other's partitions, which move to it."""
    first = fresh_world.worker("worker-1", event_types=f"{TYPE},{OTHER}")
    tenants, endpoints = fresh_world.in_every_partition()
    assert "event.types" not in first.log.read_text(), "nothing to disagree with"
    second = fresh_world.worker("worker-2", event_types=f"{TYPE},degree.renewed")
    until(second.partitions, 60, "partitions of its own")
    second.expect_error("the partition's last worker had other event.types than this one")
    second.wait_metric(len(second.partitions()), "posthorn_catalogue_disagreements_total")
    assert len([line for line in second.log.read_text().splitlines() if "other event.types" in line]) == len(second.partitions())
    for tenant in tenants.values():
        assert fresh_world.results.end(fresh_world.issue(tenant)).status == 200
        endpoints[tenant].wait()
    assert len(first.partitions()) + len(second.partitions()) == fresh_world.partitions


def test_the_same_types_in_another_order_are_the_same(fresh_world):
    fresh_world.worker("worker-1", event_types=f"{TYPE},{OTHER}")
    tenants, _ = fresh_world.in_every_partition()
    second = fresh_world.worker("worker-2", event_types=f"{OTHER},{TYPE}")
    until(second.partitions, 60, "partitions of its own")
    for tenant in tenants.values():
        assert fresh_world.results.end(fresh_world.issue(tenant)).status == 200
    assert second.metric("posthorn_catalogue_disagreements_total") == 0


def test_a_gateway_that_disagrees_says_so_and_goes_on(fresh_world):
    """It judges an event's type as its workers would, so it has to know the same ones."""
    fresh_world.worker(event_types=TYPE)
    fresh_world.in_every_partition()
    gateway = fresh_world.gateway(event_types=f"{TYPE},{OTHER}")
    gateway.expect_error("a worker has other event.types than this gateway")
    gateway.wait_metric(fresh_world.partitions, "posthorn_gateway_catalogue_disagreements")
    until(lambda: "other event.types than this gateway" in gateway.log.read_text(), what="the log to say so")
    tenant = fresh_world.tenant()
    client = fresh_world.client(gateway, tenant)
    assert client("POST", "/v1/events", {"type": TYPE, "payload": {}}).status == 202
    refused = client("POST", "/v1/events", {"type": OTHER, "payload": {}})
    assert (refused.status, [detail["param"] for detail in refused.json["details"]]) == (400, ["type"]), "the worker knows it not"
    same = fresh_world.gateway("gateway-2", event_types=TYPE)
    assert same.metric("posthorn_gateway_catalogue_disagreements") == 0
