"""Refusals: their answers, and that they change nothing. A row: the operation, the status, and the
entries of `details`.
"""

import base64
import json
import os
from dataclasses import dataclass, field

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY

URL = "http://127.0.0.1:9/hook"
NOBODY = "00000000-0000-4000-8000-000000000000"
OURS, THEIRS = "<own webhook>", "<another tenant's webhook>"
ANY = object()


@dataclass
class Row:
    name: str
    operation: tuple
    status: int = 400
    # (param, location, value): the value is ANY, or as it was sent.
    details: list = field(default_factory=list)


def bad_url(name, url, value=None):
    """Refused when created and when updated."""
    rows = [("create", commands.create(url)), ("update", commands.update(OURS, url))]
    return [Row(f"{verb} url {name}", operation, 400, [("url", "body", url[:256] if value is None else value)]) for verb, operation in rows]


def bad_events(name, events, *details):
    rows = [("create", commands.create(URL, events)), ("update", commands.update(OURS, URL, events))]
    return [Row(f"{verb} events {name}", operation, 400, list(details)) for verb, operation in rows]


def bad_id(name, id, status):
    operations = {
        "retrieve": commands.retrieve(id),
        "update": commands.update(id, URL),
        "delete": commands.delete(id),
        "test": commands.send_test(id),
        "recover": commands.recover(id),
    }
    return [Row(f"{verb} id {name}", operation, status, [("id", "params", ANY if id == THEIRS else id[:256])]) for verb, operation in operations.items()]


def cursor(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def bad_cursor(name, text):
    return [Row(f"list cursor {name}", commands.retrieve_all(cursor=text), 400, [("cursor", "query", text[:256])])]


GOOD_TIME = "2026-01-31T12%3A00%3A00.000Z"
ROWS = [
    *bad_url("empty", ""),
    *bad_url("not a url", "not a url"),
    *bad_url("relative", "/hook"),
    *bad_url("without scheme", "example.com/hook"),
    *bad_url("scheme relative", "//example.com/hook"),
    *bad_url("ftp", "ftp://example.com/hook"),
    *bad_url("file", "file:///etc/passwd"),
    *bad_url("javascript", "javascript:alert(1)"),
    *bad_url("without host", "https:///hook"),
    *bad_url("with user", "https://user@example.com/hook"),
    *bad_url("with password", "https://user:secret@example.com/hook", ANY),
    *bad_url("with fragment", "https://example.com/hook#part"),
    *bad_url("empty fragment", "https://example.com/hook#"),
    *bad_url("space in host", "https://exa mple.com/"),
    *bad_url("port too large", "https://example.com:65536/"),
    *bad_url("port zero", "https://example.com:0/"),
    *bad_url("port text", "https://example.com:http/"),
    *bad_url("address outside the allowed networks", "https://10.0.0.1/hook"),
    *bad_url("address in hexadecimal", "https://0x0a000001/"),
    *bad_url("address as one number", "https://167772161/"),
    *bad_url("address in octal", "https://012.0.0.1/"),
    *bad_url("IPv6 outside the allowed networks", "https://[2001:db8::1]/hook"),
    *bad_url("IPv6 unclosed", "https://[::1/hook"),
    *bad_url("zone", "https://[fe80::1%25eth0]/"),
    *bad_url("label too long", "https://" + "a" * 64 + ".com/"),
    *bad_url("empty label", "https://a..com/"),
    *bad_url("label starts with a hyphen", "https://-a.com/"),
    *bad_url("broken percent", "https://example.com/%zz"),
    *bad_url("line break", "https://example.com/a\r\nHost: b"),
    *bad_url("too long", "https://example.com/" + "a" * 2048),
    *bad_url("too long once normalised", "https://example.com/" + "ü" * 400, "https://example.com/" + "ü" * 118),
    *bad_events("empty", [], ("events", "body", ANY)),
    *bad_events("unknown", ["Nothing"], ("events[0]", "body", "Nothing")),
    *bad_events("second unknown", [ISSUED, "Nothing"], ("events[1]", "body", "Nothing")),
    *bad_events("wrong case", ["openidcredentialissued"], ("events[0]", "body", "openidcredentialissued")),
    *bad_events("empty name", [""], ("events[0]", "body", "")),
    *bad_events("repeated", [ISSUED, SUMMARY, ISSUED], ("events[2]", "body", ISSUED)),
    *bad_events("not subscribable", ["WebhookTest"], ("events[0]", "body", "WebhookTest")),
    *bad_events("two unknown", ["A", "B"], ("events[0]", "body", "A"), ("events[1]", "body", "B")),
    *bad_events("name oversized", ["x" * 100_000], ("events[0]", "body", "x" * 256)),
    Row("create all wrong", commands.create("nowhere", ["A"]), 400, [("events[0]", "body", "A"), ("url", "body", "nowhere")]),
    Row(
        "update all wrong",
        commands.update("x", "nowhere", []),
        400,
        [("id", "params", "x"), ("events", "body", ANY), ("url", "body", "nowhere")],
    ),
    *bad_id("empty", "", 400),
    *bad_id("not a uuid", "1", 400),
    *bad_id("uuid with braces", "{00000000-0000-4000-8000-000000000000}", 400),
    *bad_id("uuid without hyphens", NOBODY.replace("-", ""), 400),
    *bad_id("uuid and more", NOBODY + "0", 400),
    *bad_id("oversized", "1" * 50_000, 400),
    *bad_id("unknown", NOBODY, 404),
    *bad_id("of another tenant", THEIRS, 404),
    Row("list limit 0", commands.retrieve_all(limit=0), 400, [("limit", "query", "0")]),
    Row("list limit -1", commands.retrieve_all(limit=-1), 400, [("limit", "query", "-1")]),
    Row("list limit 1001", commands.retrieve_all(limit=1001), 400, [("limit", "query", "1001")]),
    Row("list limit huge", commands.retrieve_all(limit=2**31 - 1), 400, [("limit", "query", str(2**31 - 1))]),
    Row("list limit and cursor", commands.retrieve_all(limit=0, cursor="!"), 400, [("limit", "query", "0"), ("cursor", "query", "!")]),
    *bad_cursor("empty", ""),
    *bad_cursor("not base64url", "***"),
    *bad_cursor("padded", cursor(f"createdAt={GOOD_TIME}&id={NOBODY}") + "="),
    *bad_cursor("of nothing", cursor("x")),
    *bad_cursor("without id", cursor(f"createdAt={GOOD_TIME}")),
    *bad_cursor("without time", cursor(f"id={NOBODY}")),
    *bad_cursor("bad time", cursor(f"createdAt=yesterday&id={NOBODY}")),
    *bad_cursor("impossible date", cursor(f"createdAt=2026-02-30T12%3A00%3A00.000Z&id={NOBODY}")),
    *bad_cursor("bad id", cursor(f"createdAt={GOOD_TIME}&id=1")),
    *bad_cursor("and more", cursor(f"createdAt={GOOD_TIME}&id={NOBODY}&x=y")),
    *bad_cursor("oversized", "A" * 100_000),
]


def test_the_table_is_large_enough(report):
    assert len({row.name for row in ROWS}) == len(ROWS) >= 60
    report(f"{len(ROWS)} refused inputs")


@pytest.fixture(scope="module")
def tenant(world):
    """A tenant that has something to lose: a webhook, and so a key."""
    tenant = world.tenant("refused")
    world.own = world.ask(tenant, commands.create(URL)).data
    world.other = world.ask(world.tenant("other"), commands.create(URL)).data
    return tenant


def filled(operation, world):
    name, fields = operation
    ids = {OURS: world.own["id"], THEIRS: world.other["id"]}
    return name, {key: ids.get(value, value) if isinstance(value, str) else value for key, value in fields.items()}


def agrees(wanted, detail):
    param, location, value = wanted
    return (detail["param"], detail["location"]) == (param, location) and (value is ANY or detail["value"] == value)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_refused(world, tenant, row):
    before = world.state.registry(tenant)
    end = world.ask(tenant, filled(row.operation, world))
    assert end.type.endswith("_FAIL") and end.status == row.status, end
    problem = end.data
    assert problem["code"] == {400: "BadRequest", 404: "NotFound"}[row.status] and problem["message"]
    assert problem["type"] in ("request", "resource")
    assert len(problem["details"]) == len(row.details), problem
    for wanted in row.details:
        assert any(agrees(wanted, detail) for detail in problem["details"]), (wanted, problem)
    assert all(detail["msg"] for detail in problem["details"])
    assert world.state.registry(tenant) == before and not world.state.kind("delivery")


@pytest.mark.parametrize("field", ["commandId", "requestId", "clientId"])
def test_oversized_envelope_is_refused(world, tenant, field):
    before = world.state.registry(tenant)
    value = commands.command(tenant, commands.create(URL)) | {field: "x" * 257}
    id = world.writer.command(value)
    world.writer.flush()
    end = world.results.end(id)
    assert (end.status, [(d["param"], d["location"]) for d in end.data["details"]]) == (400, [(field, "body")])
    assert world.state.registry(tenant) == before


def test_empty_command_id_is_refused(world, tenant):
    value = commands.command(tenant, commands.create(URL)) | {"commandId": ""}
    world.writer.command(value)
    world.writer.flush()
    end = world.results.end("")
    assert (end.status, [d["param"] for d in end.data["details"]]) == (400, ["commandId"])


def test_a_body_over_the_limit_is_refused(world, tenant):
    endpoint = world.receivers.endpoint()
    tenant = world.tenant()
    world.webhook(tenant, endpoint)
    end = world.results.end(world.issue(tenant, credential="x" * (257 * 1024)))
    assert (end.type, end.status) == ("OPENID_CREDENTIAL_FAIL", 400)
    assert not world.state.kind("delivery") and not endpoint.requests


@pytest.mark.parametrize("field", ["request_id", "client_id"])
def test_identifiers_of_any_length_are_answered(world, field):
    """Repeated whole in every event, one would not fit into a record."""
    outcome = world.ask(world.tenant(), commands.create("https://example.com/"), **{field: os.urandom(200_000).hex()})
    assert outcome.status == 400 and [detail["location"] for detail in outcome.data["details"]] == ["body"]


def test_an_event_whose_body_is_over_256_kib(world):
    """A FAIL of its command: it never becomes a delivery."""
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    assert world.results.end(world.issue(tenant, credential="x" * 250 * 1024)).status == 200
    end = world.results.end(world.issue(tenant, credential="x" * 256 * 1024))
    assert (end.type, end.status, end.kind) == ("OPENID_CREDENTIAL_FAIL", 400, "Problem")
    assert "256 KiB" in str(end.data)
    assert len(endpoint.wait()) == 1 and list(world.results.deliveries(tenant)) == [endpoint.requests[0].id]


def test_claims_and_credential_of_more_than_60_levels(world):
    """With the three around them a callback has 64 at most, the depth that the strictest of the
    common parsers read.
    """
    deepest = {}
    for _ in range(59):
        deepest = {"a": deepest}
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    assert world.results.end(world.issue(tenant, claims=deepest, credential=deepest)).status == 200
    end = world.results.end(world.issue(tenant, claims={"a": deepest}, credential={"a": deepest}))
    assert (end.status, [detail["param"] for detail in end.data["details"]]) == (400, ["claims", "credential"])
    assert "60 levels" in str(end.data)
    (request,) = endpoint.wait()
    assert json.loads(request.body)["event"]["payload"]["claims"] == deepest
