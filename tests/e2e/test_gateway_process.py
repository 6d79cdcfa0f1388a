"""The gateway as a process: no worker, waiting requests, its end, its address, its TLS."""

import json
import signal
import ssl

import pytest
from env.commands import ISSUED
from env.http import Client
from env.tls import Authority
from env.wait import until

WEBHOOKS = "/v1/webhooks"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def tenant(world):
    return world.tenant("http")


def new(url=URL, events=(ISSUED,), **members):
    return {"events": list(events), "url": url} | members


def test_no_worker(world, make_world):
    """503 in time, with the key to repeat; the same key gets the one outcome when a worker comes. A
    request beyond the queue is a 429.
    """
    with make_world() as alone:
        # One tenant may have half of them.
        gateway = alone.gateway(gateway_timeout="500ms", gateway_max_in_flight=5)
        tenant = alone.tenant()
        client = alone.client(gateway, tenant)
        answer = client("POST", WEBHOOKS, new(), {"idempotency-key": "k-1"})
        assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "ServiceUnavailable", "1")
        assert answer.headers["idempotency-key"] == "k-1"
        connections = [client.connect() for _ in range(8)]
        for connection in connections:
            connection.request("GET", WEBHOOKS, headers={"authorization": f"Bearer {client.token}"})
        statuses = sorted(connection.getresponse().status for connection in connections)
        assert statuses == [429] * 5 + [503] * 3
        alone.worker()
        again = until(lambda: (answer := client("POST", WEBHOOKS, new(), {"idempotency-key": "k-1"})).status == 201 and answer, 30)
        assert client("GET", WEBHOOKS).json == {"data": [again.json]}
        assert gateway.metric("posthorn_gateway_timeouts_total") >= 4
        gateway.wait_metric(5, "posthorn_gateway_answers_total", status="429")


def test_the_same_request_while_the_first_waits(make_world):
    """By key and request id, which its outcome could not tell apart: a 409 at once. With the key
    alone both wait, and get the one outcome.
    """
    with make_world() as alone:
        gateway = alone.gateway()
        client = alone.client(gateway, alone.tenant())
        first, third = client.connect(), client.connect()

        def send(connection, request_id):
            headers = {"authorization": f"Bearer {client.token}", "content-type": "application/json", "idempotency-key": "k-1"}
            connection.request("POST", WEBHOOKS, json.dumps(new()), headers | {"x-request-id": request_id})

        send(first, "r-1")
        gateway.wait_metric(1, "posthorn_gateway_pending", timeout=5)
        second = client("POST", WEBHOOKS, new(), {"idempotency-key": "k-1", "x-request-id": "r-1"})
        assert (second.status, second.json["code"], second.headers["retry-after"]) == (409, "Conflict", "1")
        assert (second.headers["x-request-id"], second.json["details"][0]["value"]) == ("r-1", "k-1")
        send(third, "r-2")
        alone.worker()
        answers = [connection.getresponse() for connection in (first, third)]
        assert [answer.status for answer in answers] == [201, 201]
        assert len({answer.read() for answer in answers}) == len(client("GET", WEBHOOKS).json["data"]) == 1


def test_sigterm_answers_what_waits(make_world):
    with make_world() as alone:
        gateway = alone.gateway(gateway_timeout="3s")
        client = alone.client(gateway, alone.tenant())
        connection = client.connect()
        connection.request("GET", WEBHOOKS, headers={"authorization": f"Bearer {client.token}"})
        gateway.wait_metric(1, "posthorn_gateway_pending", timeout=5)
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: gateway.get("/readyz").out == "draining\n", 5, "the gateway to drain")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["connection"].lower()) == (503, "close")
        assert gateway.wait_end() == 0


def test_where_it_may_listen(world, tmp_path):
    for setting in (["--set", "gateway.listen=0.0.0.0:0"], ["--set", "gateway.listen=[::]:0"]):
        refused = world.admin(*setting, "serve")
        assert refused.code == 2 and "gateway.allow.plaintext" in refused.err
    half = world.admin("--set", "gateway.tls.key.file=x", "serve")
    assert half.code == 2 and "gateway.tls.certificate.file" in half.err


def test_tls(world, tmp_path, tenant):
    authority = Authority(tmp_path, "ours")
    file = authority.issue("gateway")
    file.chmod(0o600)
    gateway = world.gateway("gateway-tls", gateway_tls_certificate_file=file, gateway_tls_key_file=file, gateway_default_tenant=tenant)
    client = Client(gateway.api, world.token(tenant)["token"], ssl.create_default_context(cafile=authority.file))
    until(lambda: client("GET", "/v1/events").status == 200, 5, "the token to be known")
    webhook = client("POST", WEBHOOKS, new()).json
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook
    keys = until(lambda: client("GET", f"{WEBHOOKS}/jwks", headers={"authorization": None}).json["keys"], 5, "the default tenant's keys")
    assert len(keys) == 1
    gateway.stop()
    file.chmod(0o644)
    refused = world.admin("--set", f"gateway.tls.certificate.file={file}", "--set", f"gateway.tls.key.file={file}", "serve")
    assert refused.code == 2 and "gateway.tls.key.file" in refused.err and "must have 0600" in refused.err
