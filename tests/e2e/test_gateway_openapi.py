"""The description of the API, and the API by it: whatever schemathesis makes of it, the answers are as described."""

import re
import subprocess
import sys

import pytest
from env.commands import ISSUED
from env.http import Client
from env.sanitizer import PATIENCE

METHODS = ("get", "put", "post", "delete")
# What one table of the gateway and another one of the tests must both say.
PATHS = {
    "/v1/webhooks": {"get", "post"},
    "/v1/webhooks/{id}": {"get", "put", "delete"},
    "/v1/webhooks/{id}/test": {"post"},
    "/v1/webhooks/{id}/recover": {"post"},
    "/v1/webhooks/{id}/deliveries": {"get"},
    "/v1/webhooks/jwks": {"get"},
    "/v1/webhooks/jwks/rotate": {"post"},
    "/v1/tenants/{tenantId}/webhooks/jwks": {"get"},
    "/v1/events": {"get"},
    "/openapi.json": {"get"},
}


@pytest.fixture(scope="module")
def gateway(world):
    return world.gateway()


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
    """Thousands of requests, right and wrong, made from the description; each answer is looked at against it."""
    endpoint = world.receivers.endpoint()
    client("POST", "/v1/webhooks", {"events": [ISSUED], "url": endpoint.url})
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"http://{gateway.api}/openapi.json", "--url", f"http://{gateway.api}",
        "--header", f"Authorization: Bearer {client.token}", "--max-examples", "20", "--seed", "1", "--no-color",
        "--generation-database", "none", "--request-timeout", "20",
        # A webhook of a schema's making may name a host that no callback may go to: what is refused is the worker's to say.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, timeout=400 * PATIENCE, check=False, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
