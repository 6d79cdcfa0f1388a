"""posthorn-admin serve: the API over HTTP in front of a living worker."""

import os
import re
import signal
import stat
import uuid

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.http import Client
from env.verifier import Jwks, verify
from env.wait import until

WEBHOOKS = "/v1/webhooks"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def gateway(world):
    return world.gateway()


@pytest.fixture
def tenant(world):
    return world.tenant("http")


@pytest.fixture
def client(world, gateway, tenant):
    return world.client(gateway, tenant)


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
