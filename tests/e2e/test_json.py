"""Commands and events as JSON: for everybody without an Avro library."""

import json
import time
from dataclasses import dataclass

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.kcat import Kcat
from env.wait import until

URL = "http://127.0.0.1:9/hook"
NOBODY = "00000000-0000-4000-8000-000000000000"


def envelope(tenant):
    return {"commandId": commands.unique("command"), "tenantId": tenant, "timestamp": int(time.time() * 1000)}


def send(world, topic, command):
    world.writer.place(topic, command["tenantId"], json.dumps(command).encode())
    return world.results.end(command["commandId"])


def ask(world, tenant, **operation):
    return send(world, "webhook-admin", envelope(tenant) | {"operation": operation})


def issuance(tenant, **fields):
    return envelope(tenant) | {"credentialId": "c-1", "credentialConfigurationId": "Degree", "credentialProfile": "p", "format": "f"} | fields


def details(end):
    return [(row["param"], row["value"], row["msg"]) for row in end.data["details"]]


def test_every_operation(world):
    """With nothing that may be left out."""
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    created = ask(world, tenant, type="CreateWebhook", events=[ISSUED], url=endpoint.url)
    assert (created.status, created.data["url"], created.data["disabled"]) == (201, endpoint.url, False)
    id = created.data["id"]
    assert ask(world, tenant, type="RetrieveWebhook", id=id).data == created.data
    assert ask(world, tenant, type="RetrieveWebhooks").data["data"] == [created.data]
    assert ask(world, tenant, type="RetrieveWebhooks", limit=1, cursor=None).data["data"] == [created.data]
    updated = ask(world, tenant, type="UpdateWebhook", id=id, events=[SUMMARY], url=endpoint.url, disabled=False)
    assert (updated.status, updated.data["events"]) == (200, [SUMMARY])
    assert ask(world, tenant, type="TestWebhook", id=id).status == 202
    assert ask(world, tenant, type="RecoverDeliveries", id=id, since="2026-01-31T12:00:00Z").data == {"deliveries": 0}
    assert ask(world, tenant, type="RotateSigningKey").status == 201
    assert ask(world, tenant, type="DeleteWebhook", id=id).status == 204
    assert endpoint.wait(1)[0].json["event"]["type"] == "WebhookTest"


def test_claims_and_credential_are_passed_on_byte_for_byte(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    claims, credential = '{ "b": 1.10, "a": [ 1e2, "\\u00e4" ] }', '{"z":12345678901234567890,"a":{}}'
    text = json.dumps(issuance(tenant, claims=0, credential=1) | {"timestamp": "2026-01-31T13:00:00+01:00"})
    text = text.replace('"claims": 0', f'"claims": {claims}').replace('"credential": 1', f'"credential": {credential}')
    world.writer.place("credential-issuance", tenant, text.encode())
    callback = endpoint.wait(1)[0]
    assert f'"claims":{claims},"credential":{credential}}}'.encode() in callback.body
    assert callback.json["event"]["payload"]["issuedAt"] == "2026-01-31T12:00:00.000Z"


def test_a_compact_credential_and_none(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    shown = {"one": "ey.J.x", "null": None, "none": None}
    for id, fields in (("one", {"credential": "ey.J.x"}), ("null", {"credential": None}), ("none", {})):
        assert send(world, "credential-issuance", issuance(tenant, credentialId=id, **fields)).status == 200
    payloads = [request.json["event"]["payload"] for request in endpoint.wait(3)]
    assert {payload["credentialId"]: payload.get("credential") for payload in payloads} == shown
    assert not any("claims" in payload for payload in payloads)


@dataclass
class Wrong:
    name: str
    operation: dict
    params: list  # of its details
    type: str = "WEBHOOK_CREATE_FAIL"
    members: tuple = ()  # more of the command


CREATE = {"type": "CreateWebhook", "events": [ISSUED], "url": "https://example.com/"}
WRONG = [
    Wrong("an unknown member", CREATE, ["urgent"], members=(("urgent", True),)),
    Wrong("an unknown member of the operation", CREATE | {"uri": URL}, ["uri"]),
    Wrong("a wrong type", CREATE | {"url": 7}, ["url"]),
    Wrong("wrong elements", CREATE | {"events": [ISSUED, 7, "Nothing"]}, ["events[1]", "events[2]"]),
    Wrong("members that are missing", {"type": "CreateWebhook"}, ["events", "url"]),
    Wrong("a time that is none", CREATE, ["timestamp"], members=(("timestamp", "now"),)),
    Wrong("form and value at once", CREATE | {"disabled": 0, "url": "ftp://x"}, ["disabled", "url"]),
    Wrong("an unknown operation", {"type": "createWebhook"}, ["operation.type"], "WEBHOOK_COMMAND_FAIL"),
    Wrong("no operation", None, ["operation"], "WEBHOOK_COMMAND_FAIL"),
    Wrong("another operation", {"type": "DeleteWebhook", "id": NOBODY, "url": URL}, ["url"], "WEBHOOK_DELETE_FAIL"),
]


@pytest.mark.parametrize("row", WRONG, ids=lambda row: row.name)
def test_what_is_wrong_is_answered_with_all_of_it(world, row):
    tenant = world.tenant()
    end = send(world, "webhook-admin", envelope(tenant) | {"operation": row.operation} | dict(row.members))
    assert (end.status, end.type, [param for param, _, _ in details(end)]) == (400, row.type, row.params)
    assert all(msg for _, _, msg in details(end))
    assert ask(world, tenant, type="RetrieveWebhooks").data["data"] == []


def test_a_wrong_issuance_reaches_nobody(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    end = send(world, "credential-issuance", issuance(tenant, claims=[1], credential=7, format=None, userid="x"))
    assert (end.status, end.type) == (400, "OPENID_CREDENTIAL_FAIL")
    assert [param for param, _, _ in details(end)] == ["format", "userid", "claims", "credential"]
    assert not endpoint.requests


def test_a_command_is_the_same_one_in_json_and_in_avro(world):
    tenant = world.tenant()
    command = envelope(tenant) | {"operation": CREATE}
    first = send(world, "webhook-admin", command)
    same = commands.command(tenant, commands.create(CREATE["url"]), command_id=command["commandId"])
    world.writer.place("webhook-admin", tenant, world.schemas.command.encode(same))
    again = world.results.of(command["commandId"], ends=2)[-1]
    assert (first.repeat, again.repeat, again.data) == (False, True, first.data)


def test_a_wrong_command_again_is_answered_again(world):
    """And another wrong one of the same id is another command."""
    tenant = world.tenant()
    command = envelope(tenant) | {"operation": CREATE | {"url": 7}}
    send(world, "webhook-admin", command)
    for number, url in enumerate((7, 8), 2):
        command["operation"]["url"] = url
        world.writer.place("webhook-admin", tenant, json.dumps(command).encode())
        end = world.results.of(command["commandId"], ends=number)[-1]
        assert (end.status, end.repeat) == ((400, True) if url == 7 else (409, False))


# --- Events ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def json_world(make_world):
    with make_world(settings={"results.framing": "json"}) as world:
        world.worker()
        yield world


def test_events_are_json_for_everybody_who_reads_them(json_world):
    world, tenant = json_world, json_world.tenant()
    webhook = world.admin.json("webhook", "create", "--tenant", tenant, "--url", "https://example.com/", "--events", ISSUED)
    client = world.client(world.gateway(), tenant)
    assert client("GET", f"/v1/webhooks/{webhook['id']}").json == webhook
    refused = client("POST", "/v1/webhooks", {"url": "ftp://x", "events": ["Nothing"]})
    assert (refused.status, len(refused.json["details"]), refused.json["type"]) == (400, 2, "request")
    until(lambda: "WEBHOOK_RETRIEVE_SUCCESS" in [event["type"] for event in client("GET", "/v1/events").json["data"]], 5)
    told = [json.loads(line) for line in world.admin.ok("results", "tail", "--tenant", tenant, "--json").splitlines()]
    assert {"WEBHOOK_CREATE_START", "WEBHOOK_CREATE_SUCCESS", "WEBHOOK_RETRIEVE_SUCCESS"} <= {event["type"] for event in told}


def test_an_event_says_the_same_in_json_and_in_avro(world, json_world):
    """Times and ids apart."""
    for operation in (CREATE, {"type": "RetrieveWebhooks"}, {"type": "RotateSigningKey"}, {"type": "DeleteWebhook", "id": "x"}):
        ends = [ask(one, "same", **operation) for one in (world, json_world)]
        assert ends[0].kind == ends[1].kind and ends[0].fields.keys() == ends[1].fields.keys()
        data = [end.data and {name: value for name, value in end.data.items() if name in ("details", "url", "code", "type", "nextCursor")} for end in ends]
        assert data[0] == data[1]


# --- By kcat alone --------------------------------------------------------------------------------


def test_kcat_is_enough(json_world):
    world, endpoint, tenant = json_world, json_world.receivers.endpoint(), json_world.tenant()
    kcat = Kcat(world)
    kcat.write("webhook-admin", tenant, envelope(tenant) | {"operation": {"type": "CreateWebhook", "events": [ISSUED], "url": endpoint.url}})
    kcat.wait(tenant, "WEBHOOK_CREATE_SUCCESS")
    kcat.write("credential-issuance", tenant, issuance(tenant, credential="ey.J.x"))
    end = kcat.wait(tenant, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    assert endpoint.wait(1)[0].json["event"]["payload"]["credential"] == "ey.J.x"
    assert (end["data"]["type"], end["data"]["status"]) == ("Delivery", 200)
