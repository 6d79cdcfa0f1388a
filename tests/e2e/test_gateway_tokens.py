"""The gateway's tokens: made, revoked, and a tenant's own."""

import json
import re
import stat
import subprocess

import pytest
from env.commands import ISSUED
from env.http import Client
from env.paths import ADMIN
from env.wait import until

WEBHOOKS = "/v1/webhooks"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def tenant(world):
    return world.tenant("http")


def new(url=URL, events=(ISSUED,), **members):
    return {"events": list(events), "url": url} | members


def test_tokens(world, gateway, tenant):
    """Shown once, kept as a hash, revoked within a second, without a restart."""
    token = world.token(tenant)
    assert token.keys() == {"id", "tenantId", "token"} and re.fullmatch(r"phk_[\w-]{43}", token["token"])
    file = world.directory / "tokens"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and token["token"] not in file.read_text()
    (listed,) = world.admin.json("token", "list", "--tenant", tenant)
    assert (listed["id"], listed["tenantId"]) == (token["id"], tenant) and "hash" not in listed
    client = Client(gateway.api, token["token"])
    until(lambda: client("GET", "/v1/events").status == 200, 1, "the token to be known")
    for wrong in (token["token"][:-1], token["token"] + "A", token["token"][:10], token["token"].upper(), ""):
        assert Client(gateway.api, wrong or "x")("GET", "/v1/events").status == 401
    world.admin.ok("token", "revoke", token["id"])
    until(lambda: client("GET", "/v1/events").status == 401, 1, "the token to be refused")
    again = world.admin("token", "revoke", token["id"])
    assert again.code == 1 and token["id"] in again.err


def test_tokens_that_are_made_at_once(world, tenant):
    processes = [subprocess.Popen([ADMIN, "--config", world.admin.config, "token", "create", "--tenant", tenant], stdout=subprocess.PIPE) for _ in range(8)]
    made = {json.loads(process.communicate()[0])["id"] for process in processes}
    assert {token["id"] for token in world.admin.json("token", "list", "--tenant", tenant)} == made and len(made) == 8


def test_a_tokens_file_that_others_may_use(world, tmp_path):
    file = tmp_path / "tokens"
    setting = ("--set", f"gateway.tokens.file={file}")
    world.admin.ok(*setting, "token", "create", "--tenant", "a")
    for mode in (0o666, 0o644, 0o640):
        file.chmod(mode)
        for command in (("token", "list"), ("serve",)):
            refused = world.admin(*setting, *command)
            assert refused.code == 2 and f"has mode {mode:04o} and must have 0600 or less" in refused.err
    file.chmod(0o600)
    file.write_text("no token\n")
    refused = world.admin(*setting, "token", "list")
    assert refused.code == 2 and "line 1" in refused.err


def test_a_tenant_sees_its_own(world, gateway, client):
    other = world.client(gateway, world.tenant("other"))
    webhook = client("POST", WEBHOOKS, new()).json
    place = f"{WEBHOOKS}/{webhook['id']}"
    assert other("GET", place).status == other("DELETE", place).status == other("PUT", place, new()).status == 404
    assert other("POST", f"{place}/test").status == 404
    assert other("GET", WEBHOOKS).json == {"data": []} and client("GET", place).json == webhook
    ids = lambda events: {event["tenantId"] for event in events.json["data"]}
    until(lambda: ids(other("GET", "/v1/events")), 5, "the events")
    assert len(ids(other("GET", "/v1/events"))) == 1 and not ids(other("GET", "/v1/events")) & ids(client("GET", "/v1/events"))
