"""Headers and HMAC signatures of webhooks: the callbacks that carry them, the operations of the
secret, and that no secret lies anywhere in the clear.
"""

import base64

import pytest
from env import avro, commands
from env.commands import ISSUED
from env.sealed_box import SealedBox
from env.standard_webhooks import LIBRARIES, judged
from env.verifier import Jwks, verify_rfc9421, verify_standard_webhooks
from env.wait import until
from test_credentials_at_rest import files_with, records_of
from test_keys import restart, write_key

WEBHOOKS = "/v1/webhooks"
HMAC, ED25519, RFC9421 = "standard-webhooks-hmac", "standard-webhooks", "rfc9421"
OVERLAP_MS = 4000


@pytest.fixture(scope="module")
def world(make_world):
    settings = {"webhook.secret.overlap": f"{OVERLAP_MS}ms", "log.level": "debug", "delivery.retry.schedule": "1s,1s,1s"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


@pytest.fixture
def tenant(world):
    return world.tenant()


@pytest.fixture
def endpoint(world):
    return world.receivers.endpoint()


def created(client, endpoint, **members):
    answer = client("POST", WEBHOOKS, {"url": endpoint.url, "events": [ISSUED]} | members)
    assert answer.status == 201, answer
    return answer.json


def called(world, tenant, endpoint):
    """The next callback."""
    seen = len(endpoint.requests)
    world.issue(tenant)
    return endpoint.wait(seen + 1)[seen]


def secret_of(client, webhook):
    answer = client("GET", f"{WEBHOOKS}/{webhook['id']}/secret")
    assert (answer.status, list(answer.json), answer.headers["cache-control"]) == (200, ["secret"], "no-store"), answer
    return answer.json["secret"]


def signatures(callback):
    return [entry.partition(",")[0] for entry in callback.headers["webhook-signature"].split(" ")]


# Headers


def test_callbacks_carry_headers_whose_values_are_never_shown(world, client, tenant, endpoint):
    given = [{"name": "X-Api-Key", "value": "k 1\tä"}, {"name": "authorization", "value": "Bearer " + "t" * 3000}]
    webhook = created(client, endpoint, headers=given)
    shown = [{"name": header["name"]} for header in given]
    assert webhook["headers"] == shown and "signatures" not in webhook
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook
    assert client("GET", WEBHOOKS).json["data"] == [webhook]
    headers = called(world, tenant, endpoint).headers
    assert headers["x-api-key"].encode("latin-1").decode() == given[0]["value"] and headers["authorization"] == given[1]["value"]

    change = {"url": endpoint.url, "events": [ISSUED], "headers": [{"name": "x-api-key"}, {"name": "x-new", "value": "n"}]}
    assert client("PUT", f"{WEBHOOKS}/{webhook['id']}", change).json["headers"] == [{"name": "x-api-key"}, {"name": "x-new"}]
    headers = called(world, tenant, endpoint).headers
    assert headers["x-api-key"].encode("latin-1").decode() == given[0]["value"] and headers["x-new"] == "n" and "authorization" not in headers

    del change["headers"]
    assert "headers" not in client("PUT", f"{WEBHOOKS}/{webhook['id']}", change).json
    assert "x-api-key" not in called(world, tenant, endpoint).headers


def test_headers_are_in_each_attempt_and_outlive_the_worker(make_world):
    with make_world(settings={"delivery.retry.schedule": "500ms,500ms"}) as world:
        worker, tenant, endpoint = world.worker(), world.tenant(), world.receivers.endpoint().answers(500, 200)
        world.webhook(tenant, endpoint, headers=[{"name": "x-key", "value": "v-1"}], signatures=[RFC9421])
        world.issue(tenant)
        assert [request.headers["x-key"] for request in endpoint.wait(2)] == ["v-1", "v-1"]
        worker.stop()
        worker.forget()
        world.worker()
        assert called(world, tenant, endpoint).headers["x-key"] == "v-1"


# Signatures


@pytest.mark.parametrize(
    "formats, versions", [([HMAC], ["v1"]), ([HMAC, ED25519], ["v1a", "v1"]), ([RFC9421, HMAC], ["v1"]), ([ED25519], ["v1a"]), ([RFC9421], [])]
)
def test_a_webhooks_own_formats(world, client, tenant, endpoint, formats, versions):
    assert created(client, endpoint, signatures=formats)["signatures"] == formats
    callback = called(world, tenant, endpoint)
    assert ("webhook-signature" in callback.headers) == bool(versions)
    assert ("signature" in callback.headers) == (RFC9421 in formats)
    if versions:
        assert signatures(callback) == versions
    jwks = Jwks(world.admin.jwks(tenant))
    if RFC9421 in formats:
        verify_rfc9421(callback, callback.headers, jwks)
    if ED25519 in formats:
        (key,) = jwks.keys.values()
        verify_standard_webhooks(callback, callback.headers, key)


# The libraries that Standard Webhooks publishes


@pytest.mark.parametrize("language", LIBRARIES)
def test_the_published_libraries_verify_it(world, client, tenant, endpoint, tmp_path, language):
    """Also beside an asymmetric signature, and while two secrets sign; and they refuse what is not
    genuine.
    """
    webhook = created(client, endpoint, signatures=[RFC9421, ED25519, HMAC])
    old = secret_of(client, webhook)
    first = called(world, tenant, endpoint)
    assert client("POST", f"{WEBHOOKS}/{webhook['id']}/secret/rotate").status == 201
    new = secret_of(client, webhook)
    second = called(world, tenant, endpoint)
    assert signatures(first) == ["v1a", "v1"] and signatures(second) == ["v1a", "v1", "v1"]
    callbacks = {"first": (first.headers, first.body), "second": (second.headers, second.body)}
    changed = {
        "body": (second.headers, second.body.replace(b"OpenIdCredentialIssued", b"OpenIdCredentialIssuec")),
        "id": (second.headers | {"webhook-id": first.headers["webhook-id"]}, second.body),
        "unsigned": (second.headers | {"webhook-signature": second.headers["webhook-signature"].split(" ")[0]}, second.body),
    }
    assert judged(language, tmp_path, old, callbacks | changed) == {"first": True, "second": True} | dict.fromkeys(changed, False)
    assert judged(language, tmp_path, new, callbacks | changed) == {"first": False, "second": True} | dict.fromkeys(changed, False)


# The secret


def test_the_former_secret_signs_until_the_overlap_ends(world, client, tenant, endpoint, tmp_path):
    webhook = created(client, endpoint, signatures=[HMAC])
    old = secret_of(client, webhook)
    assert old == secret_of(client, webhook) and old.startswith("whsec_") and len(base64.b64decode(old[6:], validate=True)) == 32
    answer = client("POST", f"{WEBHOOKS}/{webhook['id']}/secret/rotate", headers={"idempotency-key": "once"})
    again = client("POST", f"{WEBHOOKS}/{webhook['id']}/secret/rotate", headers={"idempotency-key": "once"})
    assert (answer.status, answer.json["epoch"], again.json) == (201, 2, answer.json) and answer.json["overlapUntil"]
    assert secret_of(client, webhook) != old
    until(lambda: signatures(called(world, tenant, endpoint)) == ["v1"], 20, "the overlap to end")
    callback = endpoint.requests[-1]
    assert judged("python", tmp_path, old, {"late": (callback.headers, callback.body)}) == {"late": False}


def test_the_command_line_shows_and_rotates_it(world, client, tenant, endpoint, tmp_path):
    (tmp_path / "key").write_text("from-a-file\n")
    (tmp_path / "key").chmod(0o600)
    members = ["--url", endpoint.url, "--events", ISSUED, "--header", f"x-key:{tmp_path}/key", "--signatures", f"{RFC9421},{HMAC}"]
    members += ["--description", "of\x1b[2J ours", "--filter", '{"format":["jwt_vc_json","f"]}', "--rate-limit", 500]
    webhook = world.admin.json("webhook", "create", "--tenant", tenant, *members)
    assert (webhook["headers"], webhook["signatures"]) == ([{"name": "x-key"}], [RFC9421, HMAC])
    shown = world.admin.ok("webhook", "get", "--tenant", tenant, webhook["id"]).splitlines()[4:]
    assert shown == ["about     of?[2J ours", "filter    format=jwt_vc_json", "filter    format=f", "rate      500 a second",
                     "headers   x-key", f"signs     {RFC9421},{HMAC}"]  # fmt: skip
    assert called(world, tenant, endpoint).headers["x-key"] == "from-a-file"
    secret = world.admin.ok("webhook", "secret", "--tenant", tenant, webhook["id"]).strip()
    assert secret == secret_of(client, webhook) == world.admin.json("webhook", "secret", "--tenant", tenant, webhook["id"])["secret"]
    assert world.admin.json("webhook", "rotate-secret", "--tenant", tenant, webhook["id"])["epoch"] == 2
    assert secret_of(client, webhook) != secret
    kept = world.admin.json("webhook", "update", "--tenant", tenant, webhook["id"], "--url", endpoint.url, "--events", ISSUED, "--header", "X-Key")
    assert kept["headers"] == [{"name": "X-Key"}] and called(world, tenant, endpoint).headers["x-key"] == "from-a-file"
    (tmp_path / "key").chmod(0o644)
    answer = world.admin("webhook", "update", "--tenant", tenant, webhook["id"], "--url", endpoint.url, "--events", ISSUED, "--header", f"x-key:{tmp_path}/key")
    assert answer.code == 2 and "0644" in answer.err and "from-a-file" not in answer.out + answer.err


def test_on_kafka_the_secret_is_sealed_for_who_asked(world, client, tenant, endpoint):
    """As libsodium's own functions open it."""
    box, webhook = SealedBox(), created(client, endpoint, signatures=[HMAC])
    end = world.ask(tenant, commands.retrieve_secret(webhook["id"], box.public_key))
    assert (end.type, end.status) == ("WEBHOOK_SECRET_RETRIEVE_SUCCESS", 200), end
    assert box.open(avro.plain(end.fields["secret"])["secret"]) == secret_of(client, webhook)
    for key in ("", "AAAA", "A" * 43):
        end = world.ask(tenant, commands.retrieve_secret(webhook["id"], key))
        assert (end.status, end.data["details"][0]["param"]) == (400, "publicKey"), end


def test_a_webhook_without_hmac_has_no_secret(client, endpoint):
    webhook = created(client, endpoint)
    for method, path in (("GET", "secret"), ("POST", "secret/rotate")):
        assert client(method, f"{WEBHOOKS}/{webhook['id']}/{path}").status == 409
        assert client(method, f"{WEBHOOKS}/00000000-0000-4000-8000-000000000000/{path}").status == 404
        assert client(method, f"{WEBHOOKS}/x/{path}").status == 400


# Master keys


def test_rolling_the_master_key_takes_the_secrets_along(make_world, tmp_path):
    """As docs/operating.md says it: until then no worker serves without the old key."""
    with make_world(settings={"signing.key.overlap": "1s", "webhook.secret.overlap": "1s"}) as world:
        old, new = world.master_key, write_key(tmp_path / "new.key")
        tenant, endpoint = world.tenant(), world.receivers.endpoint()
        restart(world, old)
        webhook = world.webhook(tenant, endpoint, headers=[{"name": "x-key", "value": "v"}], signatures=[HMAC])
        restart(world, new, old)
        assert called(world, tenant, endpoint).headers["x-key"] == "v"
        secret = world.admin.json("webhook", "secret", "--tenant", tenant, webhook["id"])["secret"]
        assert judged("python", tmp_path, secret, {"before": (endpoint.requests[-1].headers, endpoint.requests[-1].body)}) == {"before": True}

        world.ask(tenant, commands.rotate_key())
        until(lambda: len(world.admin.jwks(tenant)["keys"]) == 1, what="the end of the old signing key")
        worker = restart(world, new, ready=False)
        worker.expect_error("derived from a master key that this worker does not have")
        assert worker.wait_end() == 3 and f"webhook={webhook['id']}" in worker.log.read_text()
        worker.log.unlink()

        restart(world, new, old)
        update = world.ask(tenant, commands.update(webhook["id"], endpoint.url, headers=[{"name": "x-key", "value": None}], signatures=[HMAC]))
        rotated = world.ask(tenant, commands.rotate_secret(webhook["id"]))
        assert (update.status, rotated.status) == (200, 201)
        until(lambda: signatures(called(world, tenant, endpoint)) == ["v1"], 20, "the overlap to end")
        restart(world, new)
        callback = called(world, tenant, endpoint)
        secret = world.admin.json("webhook", "secret", "--tenant", tenant, webhook["id"])["secret"]
        assert callback.headers["x-key"] == "v"
        assert judged("python", tmp_path, secret, {"after": (callback.headers, callback.body)}) == {"after": True}


# What lies at rest


def test_no_secret_lies_in_the_clear(world, client, tenant, endpoint):
    """A header's value is in the producer's own command alone, and a refused one's too; an HMAC
    secret is nowhere.
    """
    value, refused = commands.unique("header-value"), commands.unique("refused-value")
    webhook = created(client, endpoint, headers=[{"name": "x-key", "value": value}], signatures=[HMAC])
    secret = secret_of(client, webhook)
    assert called(world, tenant, endpoint).headers["x-key"] == value
    wrong = [{"name": "x-key", "value": refused + "\n"}, {"name": "host", "value": refused}, {"name": refused[:0], "value": refused}]
    answer = client("POST", WEBHOOKS, {"url": endpoint.url, "events": [ISSUED], "headers": wrong})
    assert answer.status == 400 and refused not in answer.body.decode()
    for body in ({"headers": [{"name": "a", "valeu": refused}]}, {"headers": [refused]}, {"headers": {"a": refused}}, {"header": [{"value": refused}]}):
        assert refused not in client("POST", WEBHOOKS, {"url": endpoint.url, "events": [ISSUED]} | body).body.decode()
    assert client("POST", f"{WEBHOOKS}/{webhook['id']}/secret/rotate").status == 201
    changed = secret_of(client, webhook)
    called(world, tenant, endpoint)

    world.wait_in_replica(world.workers[0])
    records = records_of(world)
    topics_with = lambda text: {topic for topic, data in records.items() if text.encode() in data}
    dumps = world.admin.dump() + world.admin.dump(world.workers[0].replica)
    for text in (value, refused):
        assert topics_with(text) == {"webhook-admin"} and files_with(world, text) == set() and text not in dumps
    for text in (secret, changed, secret[6:], changed[6:]):
        assert topics_with(text) == set() and files_with(world, text) == set() and text not in dumps
    for raw in (base64.b64decode(text[6:]) for text in (secret, changed)):
        assert not any(raw in file.read_bytes() for program in world.workers for file in program.directory.rglob("*") if file.is_file())
