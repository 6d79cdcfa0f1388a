"""Refused values of a webhook's optional members, of events of one's own, and of the operations of
secrets: by Kafka, as Avro and as JSON, and over HTTP, the same outcome, which never shows the value
of a header.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from env import commands
from env.commands import ISSUED

WEBHOOKS = "/v1/webhooks"
URL = "https://example.com/hook"
NOBODY = "00000000-0000-4000-8000-000000000000"
SECRET, NUMBER = "s3cret", 8675309
TYPE = "DegreeRevoked"
ANY = object()
FILTERS = ("credentialConfigurationId", "format", "credentialProfile", "subject")
LONG = "x" * 1025


# A row: its name, the members, and the details of the refusal: (param, part of the message, value).


def named(name, msg="Is reserved", value=SECRET):
    return {"headers": [{"name": name, "value": value}]}, [("headers[0].name", msg, name[:256])]


def valued(value, msg):
    return {"headers": [{"name": "x-key", "value": value}]}, [("headers[0].value", msg, "")]


def one(member, value, param, msg, shown=ANY):
    return {member: value}, [(param, msg, shown)]


TOKEN, CONTROL, BLANK = "Must be a header's name", "no control characters", "Must not begin or end with a blank"
HEADERS = {
    **{f"the reserved {name}": named(name) for name in (
        "Host", "connection", "Keep-Alive", "te", "trailer", "transfer-encoding", "Upgrade", "proxy-authorization", "proxy-connection",
        "content-type", "Content-Length", "content-digest", "webhook-id", "Webhook-Signature", "webhook-timestamp", "signature",
        "Signature-Input", "posthorn-event-type", "expect", "user-agent", "traceparent",
    )},
    "an empty name": named("", "Must not be empty"),
    "a blank in a name": named("x key", TOKEN),
    "a colon in a name": named("x:key", TOKEN),
    "a line's end in a name": named("x\r\nhost", TOKEN),
    "a name of Cyrillic": named("ключ", TOKEN),
    "a quoted name": named('"x"', TOKEN),
    "a name of 129 bytes": named("x" * 129, "128 bytes"),
    "a name of 3000 bytes": named("x" * 3000, "128 bytes"),
    "a name twice": ({"headers": [{"name": "x-a", "value": SECRET}, {"name": "X-A", "value": SECRET}]}, [("headers[1].name", "repeated", "X-A")]),
    "no value": valued(None, "Must be given"),
    "an empty value": valued("", "Must not be empty"),
    "a further line in a value": valued(SECRET + "\r\nhost: x", CONTROL),
    "a line feed in a value": valued(SECRET + "\n", CONTROL),
    "a carriage return in a value": valued("\r" + SECRET, CONTROL),
    "a control character in a value": valued(SECRET + "\x01", CONTROL),
    "a delete in a value": valued(SECRET + "\x7f", CONTROL),
    "a blank before a value": valued(" " + SECRET, BLANK),
    "a blank behind a value": valued(SECRET + " ", BLANK),
    "a tab behind a value": valued(SECRET + "\t", BLANK),
    "a value of 4200 bytes": valued(SECRET * 700, "4096 bytes"),
    "nine of them": ({"headers": [{"name": f"x-{n}", "value": SECRET} for n in range(9)]}, [("headers", "Must be at most 8", "9")]),
    "many faults": (
        {"headers": [{"name": "host", "value": ""}, {"name": "x", "value": SECRET}, {"name": "", "value": "\n"}]},
        [("headers[0].name", "reserved", "host"), ("headers[0].value", "empty", ""), ("headers[2].name", "empty", ""), ("headers[2].value", "", "")],
    ),
    "beside a wrong signature": (
        {"headers": [{"name": "te", "value": SECRET}], "signatures": ["x"]},
        [("headers[0].name", "reserved", "te"), ("signatures[0]", "Invalid value", "x")],
    ),
}  # fmt: skip
SIGNATURES = {
    "unknown": one("signatures", ["hmac"], "signatures[0]", "Invalid value", "hmac"),
    "empty": one("signatures", [""], "signatures[0]", "Invalid value", ""),
    "another case": one("signatures", ["RFC9421"], "signatures[0]", "Invalid value", "RFC9421"),
    "a version's name": one("signatures", ["rfc9421", "v1a"], "signatures[1]", "Invalid value", "v1a"),
    "a blank": one("signatures", ["rfc9421 "], "signatures[0]", "Invalid value", "rfc9421 "),
    "one twice": one("signatures", ["standard-webhooks", "standard-webhooks"], "signatures[1]", "repeated", "standard-webhooks"),
    "HMAC twice": one("signatures", ["standard-webhooks-hmac"] * 2, "signatures[1]", "repeated", "standard-webhooks-hmac"),
}
DESCRIPTIONS = {
    "257 letters": one("description", "x" * 257, "description", "256 characters"),
    "257 letters of two bytes": one("description", "ü" * 257, "description", "256 characters"),
    "257 letters of four bytes": one("description", "\U0001f600" * 257, "description", "256 characters"),
    "3000 letters": one("description", "x" * 3000, "description", "256 characters"),
}
RATES = {f"a rate of {rate}": one("rateLimit", rate, "rateLimit", "between 1 and 10000", str(rate)) for rate in (0, -1, 10001, 2**31 - 1, -(2**31))}
FILTERS_WRONG = {
    **{f"an empty {name}": one("filter", {name: ["a", ""]}, f"filter.{name}[1]", "Must not be empty", "") for name in FILTERS},
    **{f"a {name} of 1025 bytes": one("filter", {name: [LONG]}, f"filter.{name}[0]", "1024 bytes") for name in FILTERS},
    **{f"65 values of {name}": one("filter", {name: ["a"] * 65}, f"filter.{name}", "64 values") for name in FILTERS},
    "17,000 bytes of one": one("filter", {"subject": ["x" * 1000] * 17}, "filter", "16384 bytes"),
    "17,000 bytes of all": one("filter", {name: ["x" * 1000] * 5 for name in FILTERS}, "filter", "16384 bytes"),
    "two members wrong": (
        {"filter": {"format": [""], "subject": [LONG]}},
        [("filter.format[0]", "empty", ""), ("filter.subject[0]", "1024 bytes", ANY)],
    ),
}
EVENTS = {
    "an unknown type": one("events", ["Other"], "events[0]", "Invalid value", "Other"),
    "a type in another case": one("events", [TYPE.lower()], "events[0]", "Invalid value", TYPE.lower()),
    "an empty type": one("events", [""], "events[0]", "Invalid value", ""),
    "the test's type": one("events", ["WebhookTest"], "events[0]", "Invalid value", "WebhookTest"),
    "a type twice": one("events", [TYPE, ISSUED, TYPE], "events[2]", "repeated", TYPE),
}
TABLES = {"headers": HEADERS, "signatures": SIGNATURES, "description": DESCRIPTIONS, "rateLimit": RATES, "filter": FILTERS_WRONG, "events": EVENTS}

# An event of one's own: its members as HTTP has them, and the details as a command has them.
PUBLISHED = {
    "an unknown type": one("type", "Other", "eventType", "Invalid value", "Other"),
    "an empty type": one("type", "", "eventType", "Invalid value", ""),
    "a built-in type": one("type", ISSUED, "eventType", "Invalid value", ISSUED),
    "the test's type": one("type", "WebhookTest", "eventType", "Invalid value", "WebhookTest"),
    "a type in another case": one("type", TYPE.upper(), "eventType", "Invalid value", TYPE.upper()),
    "a subject of 1025 bytes": one("subject", LONG, "subject", "1024 bytes"),
    "a payload of null": one("payload", None, "payload", "null"),
    "a payload of 61 levels": one("payload", json.loads("[" * 61 + "]" * 61), "payload", "60 levels"),
    "all wrong": (
        {"type": "x", "subject": LONG, "payload": None},
        [("eventType", "Invalid value", "x"), ("subject", "1024 bytes", ANY), ("payload", "null", ANY)],
    ),
}

# Faults of form, which only JSON can have: the members, and the params of the details.
FORMS = {
    "headers: a text": ({"headers": SECRET}, ["headers"]),
    "headers: an object": ({"headers": {"x-key": SECRET}}, ["headers"]),
    "headers: an array of texts": ({"headers": [SECRET]}, ["headers"]),
    "a header without a name": ({"headers": [{"name": "x", "value": SECRET}, {"value": SECRET}]}, ["headers[1].name"]),
    "an empty header": ({"headers": [{}]}, ["headers[0].name", "headers[0].value"]),
    "a header's name: a number": ({"headers": [{"name": NUMBER, "value": SECRET}]}, ["headers[0].name"]),
    "a header's value: a number": ({"headers": [{"name": "x", "value": NUMBER}]}, ["headers[0].value"]),
    "a header's value: an object": ({"headers": [{"name": "x", "value": {"a": SECRET}}]}, ["headers[0].value"]),
    "a header's unknown member": ({"headers": [{"name": "x", "value": SECRET, "secret": SECRET}]}, ["headers[0].secret"]),
    "signatures: a text": ({"signatures": "rfc9421"}, ["signatures"]),
    "signatures: a number": ({"signatures": [1]}, ["signatures[0]"]),
    "description: a number": ({"description": 1}, ["description"]),
    "description: an array": ({"description": ["a"]}, ["description"]),
    "rateLimit: a text": ({"rateLimit": "5"}, ["rateLimit"]),
    "rateLimit: a fraction": ({"rateLimit": 1.5}, ["rateLimit"]),
    "rateLimit: more than 32 bits": ({"rateLimit": 2**31}, ["rateLimit"]),
    "filter: an array": ({"filter": []}, ["filter"]),
    "filter: a text": ({"filter": "a"}, ["filter"]),
    "filter: an unknown member": ({"filter": {"subjects": ["a"]}}, ["filter.subjects"]),
    "filter: a text instead of a list": ({"filter": {"subject": "a"}}, ["filter.subject"]),
    "filter: a number in a list": ({"filter": {"subject": ["a", 1]}}, ["filter.subject[1]"]),
    "an unknown member": ({"header": [{"name": "x", "value": SECRET}]}, ["header"]),
}

# The same of an event: its members as HTTP has them, what is left out, and the details.
EVENT_FORMS = {
    "no type": ({}, ["type"], [("type", "Must be given")]),
    "no payload": ({}, ["payload"], [("payload", "Must be given")]),
    "neither": ({}, ["type", "payload"], [("type", "Must be given"), ("payload", "Must be given")]),
    "no type, and a wrong subject": ({"subject": 7}, ["type"], [("type", "Must be given"), ("subject", "string")]),
    "type: a number": ({"type": 7}, [], [("type", "string")]),
    "type: an array": ({"type": [TYPE]}, [], [("type", "string")]),
    "subject: an object": ({"subject": {"a": SECRET}}, [], [("subject", "string")]),
    "an unknown member": ({"tenant": "t"}, [], [("tenant", "Is not known")]),
}


def test_the_tables_are_large_enough(report):
    rows = sum(map(len, TABLES.values())) + len(PUBLISHED) + len(FORMS) + len(EVENT_FORMS)
    assert rows >= 60 and all(len(TABLES[name]) >= 4 for name in TABLES)
    report(f"{rows} refused inputs")


@pytest.fixture(scope="module")
def world(make_world):
    with make_world(settings={"event.types": f"{TYPE},degree.renewed_v2"}) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def tenant(world):
    return world.tenant("members")


@pytest.fixture(scope="module")
def client(world, gateway, tenant):
    return world.client(gateway, tenant)


def details_of(problem):
    return [(row["param"], row["msg"], row["value"], row["location"]) for row in problem["details"]]


def all_over_http(client, requests):
    """The answers of (method, path, body), asked eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda request: client(*request), requests))


def as_json(world, topic, tenant, fields):
    """Writes it; returns its id."""
    value = commands.envelope(tenant) | fields
    world.writer.raw(topic, tenant, json.dumps(value).encode())
    return value["commandId"]


def told(details, wanted):
    return len(details) == len(wanted) and all(
        param == want[0] and want[1] in msg and (want[2] is ANY or value == want[2]) and location == "body"
        for (param, msg, value, location), want in zip(details, wanted, strict=True)
    )


@pytest.mark.parametrize("member", TABLES)
def test_the_same_refusal_each_way(world, client, tenant, member):
    """A webhook that is created, and one that is updated."""
    rows = TABLES[member]
    bodies = [{"events": [ISSUED], "url": URL} | members for members, _ in rows.values()]
    before = world.ask(tenant, commands.create(URL)).data
    sent = [
        (
            world.writer.ask(tenant, commands.create(**body)),
            world.writer.ask(tenant, commands.update(before["id"], **body)),
            as_json(world, "webhook-admin", tenant, {"operation": {"type": "CreateWebhook"} | body}),
            as_json(world, "webhook-admin", tenant, {"operation": {"type": "UpdateWebhook", "id": before["id"], "disabled": False} | body}),
        )
        for body in bodies
    ]
    world.writer.flush()
    created = all_over_http(client, [("POST", WEBHOOKS, body) for body in bodies])
    updated = all_over_http(client, [("PUT", f"{WEBHOOKS}/{before['id']}", body) for body in bodies])
    wrong = {}
    for (name, (_, wanted)), ids, *answers in zip(rows.items(), sent, created, updated, strict=True):
        ends = [world.results.end(id) for id in ids]
        statuses = {end.status for end in ends} | {answer.status for answer in answers}
        first, *others = [details_of(data) for data in (*(end.data for end in ends), *(answer.json for answer in answers))]
        if statuses != {400} or not told(first, wanted) or any(other != first for other in others):
            wrong[name] = (statuses, first, others)
        assert SECRET not in str(ends) + str(answers), name
    assert not wrong
    assert client("GET", f"{WEBHOOKS}/{before['id']}").json == {name: before[name] for name in ("id", "events", "url", "disabled")}


def test_the_same_refusal_of_an_event_each_way(world, client, tenant):
    bodies = [{"type": TYPE, "payload": {}} | members for members, _ in PUBLISHED.values()]
    fields = lambda body: {"eventType": body["type"], "subject": body.get("subject")}
    sent = [
        (
            world.writer.event(commands.own_event(tenant, body["type"], subject=body.get("subject")) | {"payload": json.dumps(body["payload"])}),
            as_json(world, "webhook-events", tenant, fields(body) | {"payload": body["payload"]}),
        )
        for body in bodies
    ]
    world.writer.flush()
    answers = all_over_http(client, [("POST", "/v1/events", body) for body in bodies])
    wrong = {}
    for (name, (_, wanted)), ids, answer in zip(PUBLISHED.items(), sent, answers, strict=True):
        ends = [world.results.end(id) for id in ids]
        assert {end.type for end in ends} == {"WEBHOOK_EVENT_PUBLISH_FAIL"}
        over_http = [({"type": "eventType"}.get(param, param), *rest) for param, *rest in details_of(answer.json)]
        ways = [details_of(end.data) for end in ends] + [over_http]
        if {answer.status, *(end.status for end in ends)} != {400} or not all(told(details, wanted) for details in ways):
            wrong[name] = (answer.status, ways)
    assert not wrong


def test_faults_of_form_are_the_same_in_json_and_over_http(world, client, tenant):
    bodies = [{"events": [ISSUED], "url": URL} | members for members, _ in FORMS.values()]
    sent = [as_json(world, "webhook-admin", tenant, {"operation": {"type": "CreateWebhook"} | body}) for body in bodies]
    world.writer.flush()
    answers = all_over_http(client, [("POST", WEBHOOKS, body) for body in bodies])
    wrong = {}
    for (name, (_, params)), id, answer in zip(FORMS.items(), sent, answers, strict=True):
        end = world.results.end(id)
        in_json, over_http = details_of(end.data), details_of(answer.json)
        if (end.status, answer.status) != (400, 400) or not [row[0] for row in in_json] == [row[0] for row in over_http] == params:
            wrong[name] = (end.status, in_json, answer.status, over_http)
        assert not any(text in str(end) + str(answer) for text in (SECRET, str(NUMBER))), name
    assert not wrong


def test_faults_of_an_events_form_are_the_same_in_json_and_over_http(world, client, tenant):
    bodies = [
        {name: value for name, value in ({"type": TYPE, "payload": {}} | members).items() if name not in left_out}
        for members, left_out, _ in EVENT_FORMS.values()
    ]
    in_json = lambda body: {{"type": "eventType"}.get(name, name): value for name, value in body.items()}
    sent = [as_json(world, "webhook-events", tenant, in_json(body)) for body in bodies]
    world.writer.flush()
    answers = all_over_http(client, [("POST", "/v1/events", body) for body in bodies])
    wrong = {}
    for (name, (_, _, wanted)), id, answer in zip(EVENT_FORMS.items(), sent, answers, strict=True):
        end = world.results.end(id)
        ways = [sorted(({"eventType": "type"}.get(param, param), msg) for param, msg, *_ in details_of(data)) for data in (end.data, answer.json)]
        fits = lambda rows, wanted=wanted: (
            len(rows) == len(wanted) and all(row[0] == want[0] and want[1] in row[1] for row, want in zip(rows, sorted(wanted), strict=True))
        )
        if (end.status, answer.status) != (400, 400) or not all(map(fits, ways)):
            wrong[name] = (end.status, answer.status, ways)
        assert not any(text in str(end) + str(answer) for text in (SECRET, str(NUMBER))), name
    assert not wrong


def test_the_same_refusal_of_a_secrets_operations_each_way(world, client, tenant):
    """By the id, and of a webhook without HMAC."""
    plain = world.ask(tenant, commands.create(URL)).data["id"]
    theirs = world.ask(world.tenant(), commands.create(URL, signatures=["standard-webhooks-hmac"])).data["id"]
    public_key = "__________________________________________8"
    for id, status in (("x", 400), (NOBODY, 404), (theirs, 404), (plain, 409)):
        for operation, method, path in (
            (commands.retrieve_secret(id, public_key), "GET", "secret"),
            (commands.rotate_secret(id), "POST", "secret/rotate"),
        ):
            end, answer = world.ask(tenant, operation), client(method, f"{WEBHOOKS}/{id}/{path}")
            assert (end.status, answer.status) == (status, status) and end.data == answer.json, (end, answer)


def test_an_update_needs_the_values_that_the_webhook_does_not_have(world, client, tenant):
    id = client("POST", WEBHOOKS, {"events": [ISSUED], "url": URL, "headers": [{"name": "x-a", "value": SECRET}]}).json["id"]
    headers = [{"name": "x-a"}, {"name": "x-b"}]
    answer = client("PUT", f"{WEBHOOKS}/{id}", {"events": [ISSUED], "url": URL, "headers": headers})
    end = world.ask(tenant, commands.update(id, URL, headers=[header | {"value": None} for header in headers]))
    assert (end.status, answer.status) == (400, 400) and details_of(end.data) == details_of(answer.json)
    assert [row["param"] for row in answer.json["details"]] == ["headers[1].value"]


def test_null_is_the_same_as_nothing(world, client, tenant):
    body = {"events": [ISSUED], "url": URL} | dict.fromkeys(("description", "filter", "rateLimit", "headers", "signatures"))
    id = as_json(world, "webhook-admin", tenant, {"operation": {"type": "CreateWebhook"} | body})
    world.writer.flush()
    end, answer = world.results.end(id), client("POST", WEBHOOKS, body)
    shown = client("GET", f"{WEBHOOKS}/{end.data['id']}").json
    assert (end.status, answer.status) == (201, 201)
    assert shown | {"id": ""} == answer.json | {"id": ""} == {"id": "", "events": [ISSUED], "url": URL, "disabled": False}
