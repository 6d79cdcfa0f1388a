"""The same request over HTTP and over Kafka: the same outcome, field by field."""

from dataclasses import dataclass, field

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY

WEBHOOKS = "/v1/webhooks"
URL = "https://example.com/hook"
NONE = "00000000-0000-4000-8000-000000000000"
SHOWN = ("id", "events", "url", "disabled")


@dataclass
class Request:
    """`{id}` in a path, and "{id}" as an id, are the webhook that the tenant has."""

    method: str
    path: str
    operation: tuple
    body: object = None
    headers: dict = field(default_factory=dict)


def create(url=URL, events=(ISSUED,), disabled=False, **headers):
    body = {"events": list(events), "url": url} | ({"disabled": True} if disabled else {})
    return Request("POST", WEBHOOKS, commands.create(url, events, disabled), body, headers)


def update(id, url=URL, events=(ISSUED,), disabled=False):
    body = {"events": list(events), "url": url, "disabled": disabled}
    return Request("PUT", f"{WEBHOOKS}/{id}", commands.update(id, url, events, disabled), body)


def get(id, path=None):
    return Request("GET", f"{WEBHOOKS}/{path or id}", commands.retrieve(id))


def listed(limit=None, cursor=None):
    query = "&".join(f"{name}={value}" for name, value in (("limit", limit), ("cursor", cursor)) if value is not None)
    return Request("GET", f"{WEBHOOKS}?{query}", commands.retrieve_all(limit, cursor))


def delete(id):
    return Request("DELETE", f"{WEBHOOKS}/{id}", commands.delete(id))


def send_test(id):
    return Request("POST", f"{WEBHOOKS}/{id}/test", commands.send_test(id))


def recover(id, since):
    return Request("POST", f"{WEBHOOKS}/{id}/recover", commands.recover(id, since), {"since": since})


REQUESTS = {
    "create": create(),
    "create-both-events": create(events=(SUMMARY, ISSUED)),
    "create-disabled": create(disabled=True),
    "create-query": create(URL + "?a=b&c=%20d"),
    "create-upper-case-host": create("https://EXAMPLE.com:443/a/../b"),
    "create-idna": create("https://bücher.example/ä"),
    "create-odd-characters": create("https://example.com/{a}|^`'"),
    "create-long-url": create("https://example.com/" + "x" * 2028),
    "create-too-long-url": create("https://example.com/" + "x" * 2029),
    "create-empty-url": create(""),
    "create-no-url": create("nowhere"),
    "create-ftp": create("ftp://example.com/"),
    "create-relative": create("/hook"),
    "create-user": create("https://user:secret@example.com/"),
    "create-fragment": create("https://example.com/#a"),
    "create-private": create("https://10.0.0.1/"),
    "create-metadata": create("https://169.254.169.254/latest"),
    "create-ipv6": create("https://[::1]/"),
    "create-bad-port": create("https://example.com:99999/"),
    "create-blank": create("https://example.com/a b"),
    "create-control": create("https://example.com/\x01"),
    "create-emoji": create("https://example.com/\U0001f600"),
    "create-quote": create('https://example.com/"<script>'),
    "create-no-events": create(events=()),
    "create-unknown-event": create(events=("Nothing",)),
    "create-empty-event": create(events=("",)),
    "create-test-event": create(events=("WebhookTest",)),
    "create-repeated-event": create(events=(ISSUED, ISSUED)),
    "create-wrong-case": create(events=(ISSUED.lower(),)),
    "create-many-wrong": create("x", events=("a", "b", ISSUED, ISSUED)),
    "create-more-wrong-than-are-shown": create(events=[f"e{n}" for n in range(100)]),
    "create-long-event": create(events=("e" * 1000,)),
    "get": get("{id}"),
    "get-upper-case": get("{ID}"),
    "get-none": get(NONE),
    "get-no-uuid": get("x"),
    "get-short": get(NONE[:-1]),
    "get-braces": get("{" + NONE + "}", "%7B" + NONE + "%7D"),
    "get-slash": get("a/b", "a%2Fb"),
    "get-dots": get("..", "%2e%2e"),
    "get-blank": get(" ", "%20"),
    "get-unicode": get("ü", "%C3%BC"),
    "get-long": get("x" * 300),
    "list": listed(),
    "list-1": listed(1),
    "list-1000": listed(1000),
    "list-0": listed(0),
    "list-negative": listed(-1),
    "list-1001": listed(1001),
    "list-huge": listed(2**31 - 1),
    "list-smallest": listed(-(2**31)),
    "list-empty-cursor": listed(cursor=""),
    "list-wrong-cursor": listed(cursor="x"),
    "list-padded-cursor": listed(cursor="eA=="),
    "list-both-wrong": listed(0, "x"),
    "list-behind-all": listed(cursor="Y3JlYXRlZEF0PTk5OTktMTItMzFUMjMlM0E1OSUzQTU5Ljk5OVomaWQ9MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw"),
    "update": update("{id}", URL + "/2", (SUMMARY,), True),
    "update-none": update(NONE),
    "update-no-uuid": update("x"),
    "update-all-wrong": update("x", "x", ("x",)),
    "update-no-events": update("{id}", events=()),
    "update-wrong-url": update("{id}", "http//example"),
    "delete": delete("{id}"),
    "delete-none": delete(NONE),
    "delete-no-uuid": delete("x"),
    "test": send_test("{id}"),
    "test-none": send_test(NONE),
    "test-no-uuid": send_test("x"),
    "recover": recover("{id}", 0),
    "recover-now": recover("{id}", 1_900_000_000_000),
    "recover-none": recover(NONE, 0),
    "recover-before-time": recover("{id}", -2),
    "recover-no-uuid-before-time": recover("x", -2),
    "resend-none": Request("POST", f"/v1/deliveries/{NONE}/resend", commands.resend(NONE)),
    "resend-no-uuid": Request("POST", "/v1/deliveries/x/resend", commands.resend("x")),
    "rotate": Request("POST", f"{WEBHOOKS}/jwks/rotate", commands.rotate_key()),
}
# Each way makes its own of these.
OWN = ("id", "deliveryId", "webhookId", "kid", "createdAt", "expiresAt", "nextAttemptAt")


def filled(value, id):
    """With the tenant's webhook where the row says {id}."""
    if isinstance(value, str):
        return value.replace("{id}", id).replace("{ID}", id.upper())
    if isinstance(value, dict):
        return {name: filled(item, id) for name, item in value.items()}
    return type(value)(filled(item, id) for item in value) if isinstance(value, list | tuple) else value


def alike(data, names):
    """The ids and times, which each way makes for itself, must only be there."""
    if isinstance(data, dict):
        return {name: names.get(value, "new") if name in OWN and value else alike(value, names) for name, value in data.items()}
    return [alike(item, names) for item in data] if isinstance(data, list) else data


def as_http_shows(data):
    """A webhook over HTTP has the members of the API, and a last page no cursor."""
    if isinstance(data, dict) and set(SHOWN) <= data.keys():
        return {name: data[name] for name in SHOWN}
    if isinstance(data, dict) and "nextCursor" in data:
        page = {"data": [as_http_shows(item) for item in data["data"]]}
        return page | ({"nextCursor": data["nextCursor"]} if data["nextCursor"] else {})
    return data


def with_webhook(world):
    tenant = world.tenant("parity")
    return tenant, world.ask(tenant, commands.create("https://127.0.0.1:9/first")).data["id"]


def test_there_are_enough():
    assert len(REQUESTS) >= 60


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_both_ways(world, gateway, request_):
    over_kafka, its_id = with_webhook(world)
    end = world.ask(over_kafka, filled(request_.operation, its_id))
    over_http, own_id = with_webhook(world)
    client = world.client(gateway, over_http)
    answer = client(request_.method, filled(request_.path, own_id), filled(request_.body, own_id))
    assert answer.status == end.status, (answer, end)
    shown = answer.json if answer.body else None
    wanted = as_http_shows(end.data)
    normal = lambda data, id: alike(filled_back(data, id), {id: "first"})
    assert normal(shown, own_id) == normal(wanted, its_id), (answer, end)


def filled_back(data, id):
    """Details repeat an id as it was given."""
    if isinstance(data, str) and data.lower() == id:
        return id
    if isinstance(data, dict):
        return {name: filled_back(value, id) for name, value in data.items()}
    return [filled_back(item, id) for item in data] if isinstance(data, list) else data


# Faults of form are HTTP's alone; the values beside them are judged as a command's are.

FORMS = {
    "events-url-disabled": ("POST", WEBHOOKS, {"events": [], "url": "x", "disabled": 1}, ["events", "url", "disabled"]),
    "types-in-arrays": ("POST", WEBHOOKS, {"events": ["a", 1, ISSUED, ISSUED], "url": URL}, ["events[0]", "events[1]", "events[3]"]),
    "unknown-and-missing": ("POST", WEBHOOKS, {"colour": "red"}, ["events", "url", "colour"]),
    "no-array": ("POST", WEBHOOKS, {"events": "x", "url": 7}, ["events", "url"]),
    "id-and-form": ("PUT", f"{WEBHOOKS}/x", {"events": [ISSUED], "url": "", "disabled": None}, ["id", "url", "disabled"]),
    "since-and-id": ("POST", f"{WEBHOOKS}/x/recover", {"since": "yesterday"}, ["id", "since"]),
    "no-since": ("POST", f"{WEBHOOKS}/x/recover", {"until": "yesterday"}, ["id", "since", "until"]),
    "limit-and-cursor": ("GET", f"{WEBHOOKS}?limit=many&cursor=x", None, ["limit", "cursor"]),
    "no-json": ("PUT", f"{WEBHOOKS}/x", b"{", ["id", "body"]),
}


@pytest.mark.parametrize("method, path, body, params", FORMS.values(), ids=FORMS)
def test_one_refusal_names_all_that_is_wrong(world, gateway, method, path, body, params):
    client = world.client(gateway, world.tenant("forms"))
    answer = client(method, path, body)
    assert answer.status == 400, answer
    assert [detail["param"] for detail in answer.json["details"]] == params
    events, url = (body.get(name) if isinstance(body, dict) else None for name in ("events", "url"))
    if method == "POST" and path == WEBHOOKS and isinstance(events, list) and all(isinstance(event, str) for event in events):
        end = world.ask(world.tenant("forms"), commands.create(url, events))
        assert [row for row in answer.json["details"] if row["param"] != "disabled"] == end.data["details"]


def sent(request, detail):
    """Whether the request has the parameter that a row names."""
    name, headers, query = detail["param"], request["headers"], request["path"].partition("?")[2]
    return {
        "headers": name.lower() in headers,
        "query": f"{name}=" in query,
        "params": name == "id",
        "body": request["body"] is not None,
    }[detail["location"]]


def test_no_row_names_what_was_not_sent(world, gateway):
    client = world.client(gateway, world.tenant("named"))
    key, good = {"idempotency-key": "k-1"}, {"url": URL, "events": [ISSUED]}
    assert client("POST", WEBHOOKS, good, key).status == 201
    requests = [
        ("POST", WEBHOOKS, good | {"url": URL + "/2"}, key, 409),
        ("POST", WEBHOOKS, good, {"idempotency-key": "x" * 257}, 400),
        ("POST", WEBHOOKS, good, {"idempotency-key": ""}, 400),
        ("POST", WEBHOOKS, {"url": 1}, {"idempotency-key": ""}, 400),
        ("GET", f"{WEBHOOKS}?limit=0&cursor=x", None, {}, 400),
        ("GET", f"{WEBHOOKS}/x", None, {"x-request-id": " ", "traceparent": "x"}, 400),
        ("PUT", f"{WEBHOOKS}/x", {"url": "x", "events": []}, {}, 400),
        ("DELETE", f"{WEBHOOKS}/{NONE}", None, {}, 404),
        ("POST", f"{WEBHOOKS}/x/recover", {}, {}, 400),
        ("GET", "/v1/events?limit=0&from=x", None, {}, 400),
        ("GET", f"{WEBHOOKS}/x/deliveries?status=x&limit=0&cursor=x", None, {}, 400),
    ]
    for method, path, body, headers, status in requests:
        answer = client(method, path, body, headers)
        request = {"path": path, "body": body, "headers": headers}
        assert answer.status == status and answer.json["details"], (request, answer)
        assert all(sent(request, detail) for detail in answer.json["details"]), (request, answer.json)
