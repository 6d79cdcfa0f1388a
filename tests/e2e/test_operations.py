"""The six operations by Kafka records alone: no program but the worker takes part."""

import time
import uuid

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.receiver import Endpoint
from env.verifier import verify

URL = "http://127.0.0.1:9/hook"


def test_create(world):
    tenant = world.tenant()
    before = time.time() * 1000 - 1000
    end = world.ask(tenant, commands.create(URL, [SUMMARY, ISSUED]), request_id="request-1", client_id="client-1")
    assert (end.type, end.status, end.kind, end.category, end.repeat) == ("WEBHOOK_CREATE_SUCCESS", 201, "Webhook", "webhook", False)
    assert (end.requestId, end.clientId, end.headers["requestId"]) == ("request-1", "client-1", "request-1")
    assert before < end.milliseconds < time.time() * 1000 + 1000
    webhook = end.data
    assert str(uuid.UUID(webhook["id"])) == webhook["id"]
    assert (webhook["events"], webhook["url"], webhook["disabled"]) == ([SUMMARY, ISSUED], URL, False)
    assert before < webhook["createdAt"] == webhook["updatedAt"]


def test_retrieve(world):
    tenant = world.tenant()
    webhook = world.ask(tenant, commands.create(URL)).data
    for id in (webhook["id"], webhook["id"].upper()):
        end = world.ask(tenant, commands.retrieve(id))
        assert (end.type, end.status, end.data) == ("WEBHOOK_RETRIEVE_SUCCESS", 200, webhook)


def test_retrieve_all(world):
    tenant = world.tenant()
    webhooks = [world.ask(tenant, commands.create(f"{URL}/{n}")).data for n in range(3)]
    end = world.ask(tenant, commands.retrieve_all())
    assert (end.type, end.status, end.kind) == ("WEBHOOK_RETRIEVE_LIST_SUCCESS", 200, "WebhookPage")
    assert end.data == {"data": webhooks, "nextCursor": None}
    empty = world.ask(world.tenant(), commands.retrieve_all(limit=1))
    assert empty.data == {"data": [], "nextCursor": None}


def test_update(world):
    tenant = world.tenant()
    old = world.ask(tenant, commands.create(URL)).data
    end = world.ask(tenant, commands.update(old["id"], URL + "?a=b", [SUMMARY], disabled=True))
    assert (end.type, end.status, end.kind) == ("WEBHOOK_UPDATE_SUCCESS", 200, "Webhook")
    new = end.data
    assert new["updatedAt"] >= old["updatedAt"]
    assert new == {**old, "url": URL + "?a=b", "events": [SUMMARY], "disabled": True, "updatedAt": new["updatedAt"]}
    assert world.ask(tenant, commands.retrieve(old["id"])).data == new


def test_delete(world):
    tenant = world.tenant()
    webhook = world.ask(tenant, commands.create(URL)).data
    end = world.ask(tenant, commands.delete(webhook["id"]))
    assert (end.type, end.status, end.kind) == ("WEBHOOK_DELETE_SUCCESS", 204, None)
    gone = world.ask(tenant, commands.retrieve(webhook["id"]))
    assert (gone.type, gone.status) == ("WEBHOOK_RETRIEVE_FAIL", 404)
    assert not world.state.kind("webhook", tenant)


def test_jwks_is_on_kafka_and_verifies_a_callback(world):
    """The sixth operation has no events; the keys that it shows are public and lie in the
    changelog.
    """
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    assert not world.state.kind("key", tenant), "a tenant's first key comes with its first webhook"
    webhook = world.webhook(tenant, endpoint)
    command = world.issue(tenant, credential={"proof": "ü"}, claims={"name": "Ada"}, user_id="user-7", offer_id="offer-1")
    (request,) = endpoint.wait()
    jwks = world.jwks(tenant)
    assert verify(request, jwks) in jwks.keys and len(jwks.keys) == 1
    body = request.json
    assert body["webhookId"] == webhook["id"]
    assert body["event"]["type"] == ISSUED
    payload = body["event"]["payload"]
    assert payload["credential"] == {"proof": "ü"} and payload["claims"] == {"name": "Ada"}
    assert (payload["userId"], payload["credentialOfferId"], "sessionId" in payload) == ("user-7", "offer-1", False)
    end = world.results.end(command)
    assert (end.type, end.status, end.category) == ("OPENID_CREDENTIAL_SUCCESS", 200, "openid")
    assert end.data["deliveries"] == 1


def test_callback_is_of_the_agreed_form(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint(query="?tag=a%20b")
    world.webhook(tenant, endpoint, events=[SUMMARY])
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    world.issue(tenant, headers=[("traceparent", trace.encode())], claims={"name": "Ada"})
    (request,) = endpoint.wait()
    verify(request, world.jwks(tenant))
    headers = request.headers
    assert (request.method, request.target) == ("POST", endpoint.path + "?tag=a%20b")
    assert headers["content-type"] == "application/json" and headers["user-agent"].startswith("posthorn/")
    assert headers["traceparent"] == trace
    assert '"@query"' in headers["signature-input"] and "alg=" not in headers["signature-input"]
    body = request.json
    assert set(body) == {"deliveryId", "deliveryTimestamp", "webhookId", "event"}
    assert set(body["event"]) == {"id", "type", "timestamp", "payload"} and body["event"]["type"] == SUMMARY
    assert not {"credential", "claims"} & set(body["event"]["payload"])
    events = world.delivered(body["deliveryId"])
    assert [event.type for event in events] == ["WEBHOOK_EVENT_RECEIVE", "WEBHOOK_EVENT_PROCESS_SUCCESS"]
    assert [event.data["attempt"] for event in events] == [0, 1] and events[1].data["status"] == 200
    assert f"delivery/{body['deliveryId']}" not in world.state.kind("delivery")


def test_a_url_is_stored_shown_sent_and_signed_as_one_string(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    host, normal = f"127.0.0.1:{endpoint.port}", f"{endpoint.path}/a%27b"
    webhook = world.ask(tenant, commands.create(f"HTTP://{host}/x/..{endpoint.path}/./a'b?q=ü{{}}|%7e")).data
    assert webhook["url"] == f"http://{host}{normal}?q=%C3%BC%7B%7D%7C~"
    world.issue(tenant)
    (request,) = Endpoint(world.receivers, endpoint.port, normal).wait()
    assert f"http://{request.headers['host']}{request.target}" == webhook["url"]
    verify(request, world.jwks(tenant))


def test_an_event_goes_to_every_webhook_that_wants_it(world):
    tenant = world.tenant()
    full, summary, both, off = (world.receivers.endpoint(port=port) for port in range(4))
    world.webhook(tenant, full, events=[ISSUED])
    world.webhook(tenant, summary, events=[SUMMARY])
    world.webhook(tenant, both, events=[SUMMARY, ISSUED])
    world.webhook(tenant, off, events=[ISSUED], disabled=True)
    other, elsewhere = world.tenant(), world.receivers.endpoint("other")
    world.webhook(other, elsewhere)
    end = world.results.end(world.issue(tenant))
    assert end.data["deliveries"] == 4
    for endpoint, types in ((full, [ISSUED]), (summary, [SUMMARY]), (both, [ISSUED, SUMMARY])):
        assert sorted(request.json["event"]["type"] for request in endpoint.wait(len(types))) == types
    assert full.requests[0].json["event"]["id"] in {r.json["event"]["id"] for r in both.requests}, "one event, one id"
    assert not off.requests and not elsewhere.requests


def test_issuance_without_webhooks(world):
    end = world.results.end(world.issue(world.tenant()))
    assert (end.type, end.status, end.data["deliveries"]) == ("OPENID_CREDENTIAL_SUCCESS", 200, 0)


@pytest.mark.parametrize("fields, param", [({"credential": None}, "credential"), ({"claims": None}, "claims")])
def test_issuance_with_broken_json_is_refused(world, fields, param):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    value = commands.issuance(tenant) | {param: '{"open":'}
    id = world.writer.issuance(value)
    world.writer.flush()
    end = world.results.end(id)
    assert (end.type, end.status) == ("OPENID_CREDENTIAL_FAIL", 400)
    assert [detail["param"] for detail in end.data["details"]] == [param]
    assert not world.state.kind("delivery") and not endpoint.requests


def test_test_webhook(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    webhook = world.webhook(tenant, endpoint)
    end = world.ask(tenant, commands.send_test(webhook["id"]))
    assert (end.type, end.status) == ("WEBHOOK_TEST_SUCCESS", 202)
    (request,) = endpoint.wait()
    verify(request, world.jwks(tenant))
    assert request.json["event"]["type"] == "WebhookTest"


def test_rotation_signs_with_the_new_key_and_publishes_both(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    old = verify(endpoint.wait(1)[0], world.jwks(tenant))
    end = world.ask(tenant, commands.rotate_key())
    assert (end.type, end.status, end.kind) == ("WEBHOOK_KEY_ROTATE_SUCCESS", 201, "SigningKey")
    world.issue(tenant)
    jwks = world.jwks(tenant)
    new = verify(endpoint.wait(2)[1], jwks)
    assert new == end.data["kid"] != old
    assert list(jwks.keys) == [new, old]
    verify(endpoint.requests[0], jwks)


def test_events_carry_each_tenants_key_and_no_id_twice(world):
    """At the end of the module: all events so far."""
    world.results.catch_up()
    ids = [event.id for event in world.results.events]
    assert len(ids) == len(set(ids))
    assert all(event.key == event.tenantId for event in world.results.events)
