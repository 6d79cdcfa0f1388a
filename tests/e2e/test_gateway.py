"""posthorn-admin serve: the API over HTTP in front of a living worker."""

import json
import uuid

import pytest
from env.commands import ISSUED, SUMMARY
from env.http import Client
from env.wait import until

WEBHOOKS = "/v1/webhooks"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def tenant(world):
    return world.tenant("http")


def new(url=URL, events=(ISSUED,), **members):
    return {"events": list(events), "url": url} | members


def test_a_webhooks_life(client):
    created = client("POST", WEBHOOKS, new())
    webhook = created.json
    place = f"{WEBHOOKS}/{webhook['id']}"
    assert (created.status, webhook) == (201, {"id": webhook["id"], "events": [ISSUED], "url": URL, "disabled": False})
    assert created.headers["location"] == place and created.headers["content-type"] == "application/json"
    assert client("GET", place).json == webhook
    assert client("GET", WEBHOOKS).json == {"data": [webhook]}
    changed = new(URL + "2", [SUMMARY, ISSUED], disabled=True)
    updated = client("PUT", place, changed)
    assert (updated.status, updated.json) == (200, {"id": webhook["id"]} | changed)
    deleted = client("DELETE", place)
    assert (deleted.status, deleted.body) == (204, b"") and "content-type" not in deleted.headers
    gone = client("GET", place)
    assert (gone.status, gone.json["code"], gone.json["details"][0]["param"]) == (404, "NotFound", "id")
    assert client("GET", WEBHOOKS).json == {"data": []}


def test_jwks(world, client, gateway, tenant):
    """Public, without a token; one tag over all gateways; new within a second of a rotation."""
    client("POST", WEBHOOKS, new())
    path = f"/v1/tenants/{tenant}/webhooks/jwks"
    anyone = Client(gateway.api)
    keys = until(lambda: (answer := anyone("GET", path)).json["keys"] and answer, 5, "the key")
    assert keys.json == world.admin.jwks(tenant) == client("GET", f"{WEBHOOKS}/jwks").json
    assert keys.headers["cache-control"] == "public, max-age=60"
    same = anyone("GET", path, headers={"if-none-match": f'"other", {keys.headers["etag"]}'})
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", keys.headers["etag"])
    rotated = client("POST", f"{WEBHOOKS}/jwks/rotate")
    assert rotated.status == 201
    until(lambda: anyone("GET", path).json["keys"][0]["kid"] == rotated.json["kid"], 1, "the new key")
    assert anyone("GET", path, headers={"if-none-match": keys.headers["etag"]}).status == 200


def test_operations_beyond_the_registry(world, client, tenant):
    endpoint = world.receivers.endpoint()
    place = f"{WEBHOOKS}/{client('POST', WEBHOOKS, new(endpoint.url)).json['id']}"
    sent = client("POST", f"{place}/test")
    assert sent.status == 202 and sent.json["webhookId"] in place
    assert endpoint.wait(1)[0].json["event"]["type"] == "WebhookTest"
    recovered = client("POST", f"{place}/recover", {"since": "2026-01-31T12:00:00.000Z"})
    assert (recovered.status, recovered.json) == (200, {"deliveries": 0})
    assert client("POST", f"{place}/recover", {"since": 0}).status == 200
    missing = client("POST", f"{place}/recover", {})
    assert (missing.status, missing.json["details"][0]["param"]) == (400, "since")


def test_trace_and_request_id_reach_the_callback(world, client):
    endpoint = world.receivers.endpoint()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    place = f"{WEBHOOKS}/{client('POST', WEBHOOKS, new(endpoint.url)).json['id']}"
    state = {"tracestate": "congo=t61rcWkgMzE", "Tracestate": "rojo=1,\tfoo=2"}  # two lines
    headers = {"traceparent": trace, "x-request-id": "r-1", "idempotency-key": "c-1"} | state
    answer = client("POST", f"{place}/test", headers=headers)
    assert (answer.headers["x-request-id"], answer.headers["idempotency-key"]) == ("r-1", "c-1")
    sent = endpoint.wait(1)[0].headers
    assert (sent["traceparent"], sent["tracestate"]) == (trace, "congo=t61rcWkgMzE,rojo=1,\tfoo=2")
    end = world.results.end("c-1")
    assert (end.requestId, end.headers["traceparent"]) == ("r-1", trace)
    made = client("GET", place, headers={"x-request-id": "no\xa0good"}).headers["x-request-id"]
    assert uuid.UUID(made)


def test_idempotency_key(world, client, tenant):
    """Again is the same answer and no second webhook; other content is a conflict; a read does not
    use it up.
    """
    key = {"idempotency-key": "k-1"}
    first, second = (client("POST", WEBHOOKS, new(), key) for _ in range(2))
    assert (first.status, second.status, first.json) == (201, 201, second.json)
    assert second.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert client("POST", WEBHOOKS, new(), {"idempotency-key": '"k-1"'}).json == first.json, "a structured field's string"
    conflict = client("POST", WEBHOOKS, new(URL + "2"), key)
    assert (conflict.status, conflict.json["code"], conflict.json["details"][0]["param"]) == (409, "Conflict", "Idempotency-Key")
    assert conflict.json["message"] == "The Idempotency-Key was used before with another request."
    assert conflict.json["details"][0]["msg"] == "Must be new, or repeat the same request"
    assert client("GET", WEBHOOKS, headers=key).json["data"] == [first.json]
    for wrong in ("", "x" * 257):
        refused = client("POST", WEBHOOKS, new(), {"idempotency-key": wrong})
        assert (refused.status, refused.json["details"][0]["param"]) == (400, "Idempotency-Key"), wrong
    assert uuid.UUID(client("POST", WEBHOOKS, new()).headers["idempotency-key"]), "what to repeat with"


def test_many_wait_at_once(world, gateway, client):
    """More requests than there are threads; each gets its own answer."""
    connections = [client.connect() for _ in range(200)]
    for n, connection in enumerate(connections):
        body = json.dumps(new(f"{URL}/{n}")).encode()
        headers = {"authorization": f"Bearer {client.token}", "content-type": "application/json"}
        connection.request("POST", WEBHOOKS, body, headers)
    answers = [json.loads(connection.getresponse().read()) for connection in connections]
    assert [answer["url"] for answer in answers] == [f"{URL}/{n}" for n in range(200)]
    for connection in connections:
        connection.close()


ERRORS = {
    # method, path, body, headers, then status, code, and the details' params
    "no-token": ("GET", WEBHOOKS, None, {"authorization": None}, 401, "Unauthorized", []),
    "wrong-token": ("GET", WEBHOOKS, None, {"authorization": "Bearer phk_x"}, 401, "Unauthorized", []),
    "another-scheme": ("GET", WEBHOOKS, None, {"authorization": "Basic YTpi"}, 401, "Unauthorized", []),
    "wrong-token-for-what-is-public": ("GET", f"{WEBHOOKS}/jwks", None, {"authorization": "Bearer phk_x"}, 401, "Unauthorized", []),
    "unknown-path": ("GET", "/v2/webhooks", None, {}, 404, "NotFound", []),
    "nothing-beside-the-page": ("GET", "/index.html", None, {}, 404, "NotFound", []),
    "keys-of-nobody": ("GET", f"{WEBHOOKS}/jwks", None, {"authorization": None}, 404, "NotFound", []),
    "another-method": ("PATCH", WEBHOOKS, b"{}", {}, 405, "MethodNotAllowed", []),
    "another-method-of-a-webhook": ("POST", f"{WEBHOOKS}/x", b"{}", {}, 405, "MethodNotAllowed", []),
    "no-content-type": ("POST", WEBHOOKS, b"{}", {"content-type": None}, 415, "UnsupportedMediaType", []),
    "another-content-type": ("POST", WEBHOOKS, b"{}", {"content-type": "text/plain"}, 415, "UnsupportedMediaType", []),
    "another-charset": ("POST", WEBHOOKS, b"{}", {"content-type": "application/json; charset=latin-1"}, 415, "UnsupportedMediaType", []),
    "encoded": ("POST", WEBHOOKS, b"{}", {"content-encoding": "gzip"}, 415, "UnsupportedMediaType", []),
    "too-large": ("POST", WEBHOOKS, b"[" + b" " * 65536, {}, 413, "ContentTooLarge", []),
    "far-too-large": ("POST", WEBHOOKS, b"[" + b" " * 1000000, {}, 413, "ContentTooLarge", []),
    "large-head": ("GET", WEBHOOKS, None, {"x-much": "x" * 20000}, 431, "RequestHeaderFieldsTooLarge", []),
    "no-body": ("POST", WEBHOOKS, b"", {}, 400, "BadRequest", ["body"]),
    "no-json": ("POST", WEBHOOKS, b"{", {}, 400, "BadRequest", ["body"]),
    "no-utf-8": ("POST", WEBHOOKS, b'{"url":"\xff"}', {}, 400, "BadRequest", ["body"]),
    "nul": ("POST", WEBHOOKS, b'{"url":"\\u0000"}', {}, 400, "BadRequest", ["body"]),
    "nul-byte": ("POST", WEBHOOKS, b'{"url":"\0"}', {}, 400, "BadRequest", ["body"]),
    "nul-byte-behind-null": ("POST", WEBHOOKS, b'{"url":null\0}', {}, 400, "BadRequest", ["body"]),
    "nul-byte-behind-true": ("POST", WEBHOOKS, b'{"disabled":true\0}', {}, 400, "BadRequest", ["body"]),
    "nul-byte-behind-a-number": ("POST", WEBHOOKS, b'{"rateLimit":1\0}', {}, 400, "BadRequest", ["body"]),
    "nul-byte-behind-the-body": ("POST", WEBHOOKS, b"{}\0", {}, 400, "BadRequest", ["body"]),
    "twice-a-member": ("POST", WEBHOOKS, b'{"url":"a","url":"b"}', {}, 400, "BadRequest", ["body"]),
    "deep": ("POST", WEBHOOKS, b"[" * 30000, {}, 400, "BadRequest", ["body"]),
    "an-array": ("POST", WEBHOOKS, b"[]", {}, 400, "BadRequest", ["body"]),
    "nothing-in-it": ("POST", WEBHOOKS, b"{}", {}, 400, "BadRequest", ["events", "url"]),
    "unknown-members": ("POST", WEBHOOKS, new(id="x", x=[1]), {}, 400, "BadRequest", ["id", "x"]),
    "wrong-types": ("POST", WEBHOOKS, {"events": "x", "url": 1, "disabled": "no"}, {}, 400, "BadRequest", ["events", "url", "disabled"]),
    "wrong-elements": ("POST", WEBHOOKS, {"events": [1, ISSUED, None], "url": URL}, {}, 400, "BadRequest", ["events[0]", "events[2]"]),
    "wrong-limit": ("GET", f"{WEBHOOKS}?limit=ten", None, {}, 400, "BadRequest", ["limit"]),
    "limit-twice": ("GET", f"{WEBHOOKS}?limit=1&limit=2", None, {}, 400, "BadRequest", ["limit"]),
    "wrong-escape": ("GET", f"{WEBHOOKS}/%zz", None, {}, 400, "BadRequest", []),
    "wrong-since": ("POST", f"{WEBHOOKS}/x/recover", {"since": "today"}, {}, 400, "BadRequest", ["id", "since"]),
    "body-of-a-test": ("POST", f"{WEBHOOKS}/x/test", {"a": 1}, {}, 400, "BadRequest", ["id", "a"]),
    "wrong-event-query": (
        "GET", "/v1/events?type=x&from=y&to=z&limit=0&cursor=-1", None, {}, 400, "BadRequest", ["type", "from", "to", "limit", "cursor"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(client, case):
    method, path, body, headers, status, code, params = case
    answer = client(method, path, body, headers)
    assert (answer.status, answer.json["code"]) == (status, code), answer
    assert sorted(detail["param"] for detail in answer.json["details"]) == sorted(params), answer
    assert answer.json.keys() == {"code", "type", "message", "details"}
    assert answer.headers["content-type"] == "application/json" and answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert ("allow" in answer.headers) == (status == 405)


def test_head_and_options(gateway, client):
    webhook = client("POST", WEBHOOKS, new()).json
    place = f"{WEBHOOKS}/{webhook['id']}"
    shown, head = client("GET", place), client("HEAD", place)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", shown.headers["content-length"])
    assert client("HEAD", f"{WEBHOOKS}/{uuid.uuid4()}").status == 404
    options = client("OPTIONS", place)
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, PUT, DELETE, OPTIONS")
    assert client("PATCH", WEBHOOKS).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert client("OPTIONS", "/nowhere").status == 404 and client("OPTIONS", "*").status == 204


def test_one_connection_for_many_requests(client):
    """Also behind refusals, whose bodies are read."""
    connection = client.connect()
    token = {"authorization": f"Bearer {client.token}"}
    for method, path, body, headers, status in (
        ("GET", WEBHOOKS, None, token, 200),
        ("POST", WEBHOOKS, b"x" * 300000, token | {"content-type": "application/json"}, 413),
        ("POST", WEBHOOKS, b"x" * 300000, {}, 401),
        ("PUT", "/nowhere", b"{}", token, 404),
        ("GET", WEBHOOKS, None, token, 200),
    ):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.status == status and answer.read() is not None
        socket = connection.sock
        assert socket is not None
    connection.close()


def test_events(world, client, tenant):
    """Newest first, a page at a time, and the same as webhook-results has them."""
    webhook = client("POST", WEBHOOKS, new()).json
    client("GET", f"{WEBHOOKS}/{webhook['id']}")
    client("GET", f"{WEBHOOKS}/none")

    def ended():
        page = client("GET", "/v1/events").json
        return page if [event["type"] for event in page["data"][:1]] == ["WEBHOOK_RETRIEVE_FAIL"] else None

    page = until(ended, 5, "the last event")
    assert [event["type"] for event in page["data"]] == [
        "WEBHOOK_RETRIEVE_FAIL", "WEBHOOK_RETRIEVE_START", "WEBHOOK_RETRIEVE_SUCCESS", "WEBHOOK_RETRIEVE_START",
        "WEBHOOK_CREATE_SUCCESS", "WEBHOOK_CREATE_START",
    ]  # fmt: skip
    assert "nextCursor" not in page and page["completeSince"] < page["data"][-1]["timestamp"]
    walked, path = [], "/v1/events?limit=4"
    while path:
        part = client("GET", path).json
        walked += part["data"]
        path = f"/v1/events?limit=4&cursor={part['nextCursor']}" if "nextCursor" in part else None
    assert walked == page["data"]
    of_type = client("GET", "/v1/events?type=WEBHOOK_*_SUCCESS").json["data"]
    assert of_type == [event for event in page["data"] if event["type"].endswith("SUCCESS")]
    middle = page["data"][3]["timestamp"]
    later, earlier = (client("GET", f"/v1/events?{name}={middle}").json["data"] for name in ("from", "to"))
    assert later + earlier == page["data"] and later
    world.results.catch_up()
    kafka = {str(event.id): event for event in world.results.events if event.tenantId == tenant}
    assert {event["id"]: event["type"] for event in page["data"]} == {id: event.type for id, event in kafka.items()}


def test_keys_by_host(world, client, tenant):
    gateway = world.gateway("gateway-domain", gateway_domain="hooks.example.com")
    client("POST", WEBHOOKS, new())
    anyone = Client(gateway.api)
    keys = lambda host: anyone("GET", f"{WEBHOOKS}/jwks", headers={"host": host})
    until(lambda: keys(f"{tenant}.hooks.example.com").json.get("keys"), 5, "the keys")
    assert keys("nobody.hooks.example.com:443").json == {"keys": []}
    for host in ("hooks.example.com", "example.com", "x.y.hooks.example.com", ""):
        assert keys(host).status == 404, host
    gateway.stop()
