"""The description of the API, and the API by it: whatever schemathesis makes of it, the answers are
as described.
"""

import importlib
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from env.commands import ISSUED, SUMMARY
from env.http import Client
from env.sanitizer import PATIENCE

METHODS = ("get", "put", "post", "delete")
# What one table of the gateway and another one of the tests must both say.
PATHS = {
    "/v1/webhooks": {"get", "post"},
    "/v1/webhooks/{id}": {"get", "put", "delete"},
    "/v1/webhooks/{id}/test": {"post"},
    "/v1/webhooks/{id}/recover": {"post"},
    "/v1/webhooks/{id}/secret": {"get"},
    "/v1/webhooks/{id}/secret/rotate": {"post"},
    "/v1/webhooks/{id}/deliveries": {"get"},
    "/v1/webhooks/{id}/statistics": {"get"},
    "/v1/webhooks/jwks": {"get"},
    "/v1/webhooks/jwks/rotate": {"post"},
    "/v1/tenants/{tenantId}/webhooks/jwks": {"get"},
    "/v1/deliveries": {"get"},
    "/v1/deliveries/{id}": {"get"},
    "/v1/deliveries/{id}/resend": {"post"},
    "/v1/events": {"get", "post"},
    "/openapi.json": {"get"},
}


TYPE = "DegreeRevoked"  # that of the description's examples


@pytest.fixture(scope="module")
def world(make_world):
    with make_world(settings={"event.types": TYPE}) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def client(world, gateway):
    return world.client(gateway, world.tenant("described"))


def test_what_is_described(client, gateway):
    answer = Client(gateway.api)("GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json
    assert document["openapi"] == "3.1.0"
    assert {path: {method for method in METHODS if method in item} for path, item in document["paths"].items()} == PATHS
    for path, item in document["paths"].items():
        allowed = client("OPTIONS", re.sub(r"\{\w+\}", "x", path)).headers["allow"].lower().split(", ")
        assert {method for method in METHODS if method in allowed} == PATHS[path], path
        for method in PATHS[path]:
            assert {"operationId", "summary", "responses", "tags"} <= item[method].keys(), (path, method)


def test_every_answer_is_as_described(world, gateway, client, tmp_path):
    """Thousands of requests, right and wrong, made from the description; each answer is looked at
    against it.
    """
    endpoint = world.receivers.endpoint()
    client("POST", "/v1/webhooks", {"events": [ISSUED], "url": endpoint.url})
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"http://{gateway.api}/openapi.json", "--url", f"http://{gateway.api}",
        "--header", f"Authorization: Bearer {client.token}", "--max-examples", "20", "--seed", "1", "--no-color",
        "--generation-database", "none", "--request-timeout", "20",
        # A webhook of a schema's making may name a host that no callback may go to: what is refused
        # is the worker's to say.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, timeout=400 * PATIENCE, check=False, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]


@pytest.fixture
def generated(gateway, tmp_path, monkeypatch):
    """The package that openapi-python-client makes of the gateway's description; a warning is a
    failure.
    """
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"http://{gateway.api}/openapi.json", "--meta", "none",
               "--output-path", tmp_path / "generated_client", "--fail-on-warning"]  # fmt: skip
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it formats what it made
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": tools}, timeout=60 * PATIENCE)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda module: importlib.import_module(f"generated_client.{module}")
    for name in [name for name in sys.modules if name.split(".")[0] == "generated_client"]:
        del sys.modules[name]


def test_a_strangers_client(world, gateway, client, generated):
    """Generated from the description, it performs the operations, and reads their errors."""
    models, endpoint = generated("models"), world.receivers.endpoint()
    stranger = generated("client").AuthenticatedClient(base_url=f"http://{gateway.api}", token=client.token)

    def call(operation, *arguments, **fields):
        answer = generated(f"api.{operation}").sync_detailed(*arguments, client=stranger, **fields)
        return int(answer.status_code), answer.parsed

    write = models.WebhookWrite(events=[ISSUED], url=endpoint.url)
    status, webhook = call("webhooks.create_webhook", body=write, idempotency_key="a-strangers")
    assert (status, webhook.url, webhook.events, webhook.disabled) == (201, write.url, write.events, False)
    assert call("webhooks.create_webhook", body=write, idempotency_key="a-strangers") == (201, webhook)
    status, page = call("webhooks.retrieve_webhooks", limit=1000)
    assert status == 200 and webhook in page.data
    assert call("webhooks.retrieve_webhook", webhook.id) == (200, webhook)
    write.events += [SUMMARY, TYPE]
    write.filter_ = models.WebhookFilter(subject=["s"])
    write.headers = [models.HeaderWrite(name="x-key", value="v")]
    write.signatures = [models.SignatureFormat.STANDARD_WEBHOOKS_HMAC]
    status, updated = call("webhooks.update_webhook", webhook.id, body=write)
    assert (status, updated.id, updated.events, updated.headers[0].to_dict()) == (200, webhook.id, write.events, {"name": "x-key"})
    status, secret = call("webhooks.retrieve_secret", webhook.id)
    assert status == 200 and secret.secret.startswith("whsec_")
    status, published = call("events.publish_event", body=models.EventWrite(type_=TYPE, subject="s", payload={"a": 1}))
    assert (status, published.deliveries) == (202, 1)
    assert endpoint.wait(1)[0].json["event"]["id"] == str(published.id)
    status, delivery = call("webhooks.test_webhook", webhook.id)
    assert (status, delivery.webhook_id) == (202, webhook.id) and endpoint.wait(2)[1].headers["webhook-id"] == str(delivery.delivery_id)
    assert call("webhooks.delete_webhook", webhook.id) == (204, None)
    status, problem = call("webhooks.retrieve_webhook", uuid.uuid4())
    assert (status, problem.code, problem.details[0].param) == (404, "NotFound", "id")
    status, problem = call("webhooks.create_webhook", body=models.WebhookWrite(events=[], url="nowhere"))
    assert (status, {detail.param for detail in problem.details}) == (400, {"events", "url"})
    status, keys = call("keys.retrieve_jwks")
    assert (status, keys.to_dict()) == (200, client("GET", "/v1/webhooks/jwks").json) and keys.keys[0].crv == "Ed25519"
