"""Refused headers and signatures of webhooks: by Kafka, as Avro and as JSON, and over HTTP, the
same outcome, which never shows a header's value.
"""

import pytest
from env import commands
from env.commands import ISSUED
from test_json import ask

WEBHOOKS = "/v1/webhooks"
URL = "https://example.com/hook"
SECRET = "s3cret"


def named(name, value=SECRET):
    return {"headers": [{"name": name, "value": value}]}


def valued(value):
    return named("x-key", value)


# The members, and the details that refuse them: (param, value).
ROWS = {
    **{f"name-{name}": (named(name), [("headers[0].name", name)]) for name in (
        "Host", "connection", "Keep-Alive", "te", "trailer", "transfer-encoding", "Upgrade", "proxy-authorization", "proxy-connection",
        "content-type", "Content-Length", "content-digest", "webhook-id", "Webhook-Signature", "webhook-timestamp", "signature",
        "Signature-Input", "posthorn-event-type", "expect", "user-agent", "traceparent",
    )},
    "name-empty": (named(""), [("headers[0].name", "")]),
    "name-blank": (named("x key"), [("headers[0].name", "x key")]),
    "name-colon": (named("x:key"), [("headers[0].name", "x:key")]),
    "name-line": (named("x\r\nhost"), [("headers[0].name", "x\r\nhost")]),
    "name-unicode": (named("ключ"), [("headers[0].name", "ключ")]),
    "name-quote": (named('"x"'), [("headers[0].name", '"x"')]),
    "name-long": (named("x" * 129), [("headers[0].name", "x" * 129)]),
    "name-longer": (named("x" * 3000), [("headers[0].name", "x" * 256)]),
    "name-twice": ({"headers": [{"name": "x-a", "value": SECRET}, {"name": "X-A", "value": SECRET}]}, [("headers[1].name", "X-A")]),
    "value-none": ({"headers": [{"name": "x-key", "value": None}]}, [("headers[0].value", "")]),
    "value-empty": (valued(""), [("headers[0].value", "")]),
    "value-line": (valued(SECRET + "\r\nhost: x"), [("headers[0].value", "")]),
    "value-feed": (valued(SECRET + "\n"), [("headers[0].value", "")]),
    "value-return": (valued("\r" + SECRET), [("headers[0].value", "")]),
    "value-control": (valued(SECRET + "\x01"), [("headers[0].value", "")]),
    "value-delete": (valued(SECRET + "\x7f"), [("headers[0].value", "")]),
    "value-blank-before": (valued(" " + SECRET), [("headers[0].value", "")]),
    "value-blank-behind": (valued(SECRET + " "), [("headers[0].value", "")]),
    "value-tab-behind": (valued(SECRET + "\t"), [("headers[0].value", "")]),
    "value-long": (valued(SECRET * 700), [("headers[0].value", "")]),
    "nine": ({"headers": [{"name": f"x-{n}", "value": SECRET} for n in range(9)]}, [("headers", "9")]),
    "many-wrong": ({"headers": [{"name": "host", "value": ""}, {"name": "x", "value": SECRET}, {"name": "", "value": "\n"}]},
                   [("headers[0].name", "host"), ("headers[0].value", ""), ("headers[2].name", ""), ("headers[2].value", "")]),
    "signature-unknown": ({"signatures": ["hmac"]}, [("signatures[0]", "hmac")]),
    "signature-empty": ({"signatures": [""]}, [("signatures[0]", "")]),
    "signature-case": ({"signatures": ["RFC9421"]}, [("signatures[0]", "RFC9421")]),
    "signature-version": ({"signatures": ["rfc9421", "v1a"]}, [("signatures[1]", "v1a")]),
    "signature-blank": ({"signatures": ["rfc9421 "]}, [("signatures[0]", "rfc9421 ")]),
    "signature-twice": ({"signatures": ["standard-webhooks", "standard-webhooks"]}, [("signatures[1]", "standard-webhooks")]),
    "both": (named("te") | {"signatures": ["x"]}, [("headers[0].name", "te"), ("signatures[0]", "x")]),
}  # fmt: skip


def test_the_table_is_large_enough():
    assert len(ROWS) >= 50


@pytest.fixture(scope="module")
def client(world, gateway):
    return world.client(gateway, world.tenant("members"))


def rows_of(problem):
    return [(row["param"], row["value"], row["msg"], row["location"]) for row in problem["details"]]


@pytest.mark.parametrize("members, wanted", ROWS.values(), ids=ROWS)
def test_the_same_refusal_each_way(world, client, members, wanted):
    tenant = world.tenant("members")
    as_avro = world.ask(tenant, commands.create(URL, **members))
    as_json = ask(world, tenant, type="CreateWebhook", events=[ISSUED], url=URL, **members)
    over_http = client("POST", WEBHOOKS, {"events": [ISSUED], "url": URL} | members)
    assert as_avro.status == as_json.status == over_http.status == 400, (as_avro, as_json, over_http)
    assert rows_of(as_avro.data) == rows_of(as_json.data) == rows_of(over_http.json)
    assert [row[:2] for row in rows_of(as_avro.data)] == wanted
    assert SECRET not in str(as_avro) + str(as_json) + over_http.body.decode()


def test_an_update_needs_the_values_that_the_webhook_does_not_have(world, client):
    id = client("POST", WEBHOOKS, {"events": [ISSUED], "url": URL, "headers": [{"name": "x-a", "value": SECRET}]}).json["id"]
    answer = client("PUT", f"{WEBHOOKS}/{id}", {"events": [ISSUED], "url": URL, "headers": [{"name": "x-a"}, {"name": "x-b"}]})
    assert answer.status == 400 and [row["param"] for row in answer.json["details"]] == ["headers[1].value"]


# Faults of form, which only JSON can have: (members, the params that refuse them over HTTP and in a
# command).
FORMS = {
    "headers-text": ({"headers": SECRET}, ["headers"], ["headers"]),
    "headers-object": ({"headers": {"x-key": SECRET}}, ["headers"], ["headers"]),
    "header-text": ({"headers": [SECRET]}, ["headers"], ["headers"]),
    "name-number": ({"headers": [{"name": 1, "value": SECRET}]}, ["headers[0].name"], ["headers[0].name"]),
    "value-number": ({"headers": [{"name": "x", "value": 12345}]}, ["headers[0].value"], ["headers[0].value"]),
    "value-object": ({"headers": [{"name": "x", "value": {"a": SECRET}}]}, ["headers[0].value"], ["headers[0].value"]),
    "member-unknown": ({"headers": [{"name": "x", "value": SECRET, "secret": SECRET}]}, ["headers[0].secret"], ["headers[0].secret"]),
    "signatures-text": ({"signatures": "rfc9421"}, ["signatures"], ["signatures"]),
    "signature-number": ({"signatures": [1]}, ["signatures[0]"], ["signatures[0]"]),
    "unknown-member": ({"header": [{"name": "x", "value": SECRET}]}, ["header"], ["header"]),
}


@pytest.mark.parametrize("members, over_http, in_json", FORMS.values(), ids=FORMS)
def test_faults_of_form_show_no_value(world, client, members, over_http, in_json):
    answer = client("POST", WEBHOOKS, {"events": [ISSUED], "url": URL} | members)
    end = ask(world, world.tenant("members"), type="CreateWebhook", events=[ISSUED], url=URL, **members)
    assert answer.status == end.status == 400
    assert list(dict.fromkeys(row["param"] for row in answer.json["details"])) == over_http, answer
    assert list(dict.fromkeys(row["param"] for row in end.data["details"])) == in_json, end
    assert SECRET not in answer.body.decode() + str(end) and "12345" not in answer.body.decode() + str(end)
