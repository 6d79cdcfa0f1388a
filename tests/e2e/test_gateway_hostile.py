"""The gateway's port in bad hands: bytes that are no request, requests without an end, requests
that two programs read in two ways.
"""

import bisect
import contextlib
import functools
import random
import re
import resource
import socket
import time
import uuid

import pytest
from env.commands import ISSUED
from env.http import Client, raw, statuses
from env.sanitizer import SANITIZED
from env.tls import Authority
from env.wait import until

WEBHOOKS = "/v1/webhooks"
URL = "http://127.0.0.1:9/hook"
CLIENT_TIMEOUT_S = 2


@pytest.fixture(scope="module")
def gateway(world):
    return world.gateway(gateway_client_timeout=f"{CLIENT_TIMEOUT_S}s")


@pytest.fixture(scope="module")
def client(world, gateway):
    return world.client(gateway, world.tenant("hostile"))


@pytest.fixture(autouse=True)
def serves_on(client):
    """Whatever was sent, others are served, and nothing is left waiting."""
    yield
    assert client("GET", WEBHOOKS).status == 200


def head(client, line, *lines):
    return "\r\n".join([line, "host: x", f"authorization: Bearer {client.token}", *lines, "", ""]).encode()


JSON = "content-type: application/json"
CLOSE = "connection: close"
RAW = {
    # what is sent behind the token, and the statuses that may come back; [] is an end without an
    # answer
    "length-twice": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: 2", "content-length: 3"), b"{}", [400]),
    "length-and-chunked": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: 2", "transfer-encoding: chunked"), b"0\r\n\r\n", [400]),
    "another-coding": (("POST /v1/webhooks HTTP/1.1", JSON, "transfer-encoding: gzip, chunked"), b"0\r\n\r\n", [501]),
    "chunked-twice": (("POST /v1/webhooks HTTP/1.1", JSON, "transfer-encoding: chunked", "transfer-encoding: chunked"), b"0\r\n\r\n", [400]),
    "negative-length": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: -1"), b"{}", [400]),
    "endless-length": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: 99999999999999999999"), b"{}", [413]),
    "huge-length": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: 9999999999"), b"{}", [413]),
    "length-in-words": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: two"), b"{}", [400]),
    "chunk-of-no-number": (("POST /v1/webhooks HTTP/1.1", JSON, "transfer-encoding: chunked", CLOSE), b"zz\r\n{}\r\n0\r\n\r\n", [400]),
    "chunk-too-large": (("POST /v1/webhooks HTTP/1.1", JSON, "transfer-encoding: chunked", CLOSE), b"fffffffffffffffff\r\n", [413]),
    "chunks-without-end": (("POST /v1/webhooks HTTP/1.1", JSON, "transfer-encoding: chunked", CLOSE), b"1\r\n{\r\n", [None]),
    "parameters-without-end": (("GET /v1/webhooks?" + "a&" * 1000 + " HTTP/1.1", CLOSE), b"", [414]),
    "two-hosts": (("GET /v1/webhooks HTTP/1.1", "host: y"), b"", [400]),
    "path-of-nul": (("GET /v1/webhooks/%00 HTTP/1.1", CLOSE), b"", [400]),
    "path-of-no-utf-8": (("GET /v1/webhooks/%ff HTTP/1.1", CLOSE), b"", [400]),
    "path-of-overlong-utf-8": (("GET /v1/webhooks/%c0%ae%c0%ae HTTP/1.1", CLOSE), b"", [400]),
    "raw-high-bytes": (("GET /v1/webhooks/\xff\xfe HTTP/1.1", CLOSE), b"", [400]),
    "two-slashes": (("GET /v1//webhooks HTTP/1.1", CLOSE), b"", [404]),
    "slashes-before": (("GET //v1/webhooks HTTP/1.1", CLOSE), b"", [404]),
    "slash-behind": (("GET /v1/webhooks/ HTTP/1.1", CLOSE), b"", [404]),
    "dots": (("GET /v1/../v1/webhooks HTTP/1.1", CLOSE), b"", [404]),
    "escaped-dots": (("GET /v1/%2e%2e/v1/webhooks HTTP/1.1", CLOSE), b"", [404]),
    "escaped-slash": (("GET /v1%2fwebhooks HTTP/1.1", CLOSE), b"", [404]),
    "escaped-word": (("GET /v1/%77ebhooks HTTP/1.1", CLOSE), b"", [200]),
    "backslash": (("GET /v1\\webhooks HTTP/1.1", CLOSE), b"", [404]),
    "semicolon": (("GET /v1/webhooks;a=b HTTP/1.1", CLOSE), b"", [404]),
    "upper-case": (("GET /V1/WEBHOOKS HTTP/1.1", CLOSE), b"", [404]),
    "absolute-form": (("GET http://elsewhere.example/v1/webhooks?limit=1 HTTP/1.1", CLOSE), b"", [200]),
    "connect": (("CONNECT example.com:443 HTTP/1.1", CLOSE), b"", [400]),
    "trace": (("TRACE /v1/webhooks HTTP/1.1", CLOSE), b"", [405]),
    "method-in-lower-case": (("get /v1/webhooks HTTP/1.1", CLOSE), b"", [405]),
    "long-method": (("X" * 5000 + " /v1/webhooks HTTP/1.1", CLOSE), b"", [405]),
    "http-1.0": (("GET /v1/webhooks HTTP/1.0",), b"", [200]),
    "http-9": (("GET /v1/webhooks HTTP/9.9", CLOSE), b"", [505]),
    "long-path": ((f"GET /{'x' * 8000} HTTP/1.1", CLOSE), b"", [404]),
    "longer-path": ((f"GET /{'x' * 100000} HTTP/1.1", CLOSE), b"", [414]),
    "huge-header": (("GET /v1/webhooks HTTP/1.1", "x: " + "y" * 200000, CLOSE), b"", [431]),
    "many-headers": (("GET /v1/webhooks HTTP/1.1", *(f"x-{n}: y" for n in range(3000)), CLOSE), b"", [431]),
    "folded-header": (("GET /v1/webhooks HTTP/1.1", "x: a\r\n b", CLOSE), b"", [400]),
    "header-without-colon": (("GET /v1/webhooks HTTP/1.1", "nothing", CLOSE), b"", [400]),
    "two-tokens": (("GET /v1/webhooks HTTP/1.1", "authorization: Bearer phk_x", CLOSE), b"", [401]),
    "key-of-no-utf-8": (("POST /v1/webhooks HTTP/1.1", JSON, "content-length: 2", "idempotency-key: \xff", CLOSE), b"{}", [400]),
    "trace-of-no-utf-8": (("GET /v1/webhooks HTTP/1.1", "traceparent: \xff\xfe", CLOSE), b"", [200]),
    "request-id-of-no-text": (("GET /v1/webhooks HTTP/1.1", "x-request-id: \xff\x01", CLOSE), b"", [400]),
    "length-of-a-get": (("GET /v1/webhooks HTTP/1.1", "content-length: 3", CLOSE), b"abc", [200]),
    "query-of-odd-things": (("GET /v1/webhooks?&&=&%=%zz&limit=%31&a=b=c HTTP/1.1", CLOSE), b"", [200]),
    "query-of-nul": (("GET /v1/webhooks?cursor=%00 HTTP/1.1", CLOSE), b"", [400]),
}


@pytest.mark.parametrize("case", RAW.values(), ids=RAW)
def test_raw(gateway, client, case):
    (line, *lines), body, wanted = case
    text = "\r\n".join([line, "host: x", f"authorization: Bearer {client.token}", *lines, "", ""]).encode("latin-1")
    answer = raw(gateway.api, text + body, timeout=CLIENT_TIMEOUT_S + 3)
    got = statuses(answer)
    assert len(got) <= 1 and (got[0] if got else None) in wanted, answer[:300]


@pytest.mark.parametrize(
    "bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0" * 1000,
        b"\r\n" * 5000,
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request(gateway, bytes):
    got = statuses(raw(gateway.api, bytes, timeout=CLIENT_TIMEOUT_S + 3))
    assert all(status >= 400 for status in got) and len(got) <= 1


def test_random_bytes(gateway):
    """Whatever comes, it runs on."""
    for seed in range(50):
        raw(gateway.api, random.Random(seed).randbytes(2000) + b"\r\n\r\n", timeout=0.05)
    assert gateway.get("/readyz").code == 200 and gateway.running


def test_pipelining(gateway, client):
    """Each gets its answer, in order; behind one whose length is not sure nothing is believed."""
    paths = [f"{WEBHOOKS}/{n}" for n in range(100)]
    requests = b"".join(head(client, f"GET {path} HTTP/1.1") for path in paths[:-1]) + head(client, f"GET {paths[-1]} HTTP/1.1", CLOSE)
    answer = raw(gateway.api, requests)
    assert statuses(answer) == [400] * 100
    assert [int(n) for n in re.findall(rb'"value":"(\d+)"', answer)] == list(range(100))
    smuggled = head(client, "POST /v1/webhooks HTTP/1.1", JSON, "content-length: 5", "transfer-encoding: chunked") + b"0\r\n\r\n"
    assert statuses(raw(gateway.api, smuggled + head(client, "GET /v1/webhooks HTTP/1.1", CLOSE))) == [400]


def until_closed(connection, send, every=0.1):
    """Sends a little again and again; returns after how many seconds the other side had enough."""
    begun = time.monotonic()
    connection.settimeout(every)
    while time.monotonic() - begun < 10 * CLIENT_TIMEOUT_S:
        try:
            connection.sendall(send)
            if not connection.recv(65536):
                return time.monotonic() - begun
        except TimeoutError:
            pass
        except OSError:
            return time.monotonic() - begun
    raise AssertionError("it was never cut off")


@pytest.mark.parametrize("begin", ["", "GET /v1/webhooks HTTP/1.1\r\nhost: x\r\nx-slow: ", "body"])
def test_slow_clients_are_cut_off(gateway, client, begin):
    """However steadily the bytes trickle in."""
    if begin == "body":
        begin = head(client, "POST /v1/webhooks HTTP/1.1", JSON, "content-length: 60000").decode()
    with socket.create_connection(gateway.api.split(":")) as connection:
        if begin:
            connection.sendall(begin.encode())
        took = until_closed(connection, b"x")
    assert CLIENT_TIMEOUT_S - 0.5 < took < 3 * CLIENT_TIMEOUT_S


def test_clients_that_take_no_answers_are_cut_off(world):
    """More is asked for than any buffer holds, and nothing is read."""
    gateway = world.gateway("gateway-unread", gateway_client_timeout=f"{CLIENT_TIMEOUT_S}s")
    connections = functools.partial(gateway.metric, "posthorn_gateway_connections")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((gateway.api.split(":")[0], int(gateway.api.split(":")[1])))
        connection.setblocking(False)
        begun = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            while True:
                connection.send(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 1000)
        until(lambda: connections() == 1, 10, "it to be taken")
        until(lambda: connections() == 0, 10 * CLIENT_TIMEOUT_S, "it to be cut off")
    assert time.monotonic() - begun > CLIENT_TIMEOUT_S - 0.5


@pytest.mark.parametrize("begin", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "half-a-hello"])
def test_slow_handshakes_are_cut_off(world, client, tmp_path, begin):
    file = Authority(tmp_path, "ours").issue("gateway")
    file.chmod(0o600)
    gateway = world.gateway("gateway-slow-tls", gateway_client_timeout=f"{CLIENT_TIMEOUT_S}s", gateway_tls_certificate_file=file, gateway_tls_key_file=file)
    with socket.create_connection(gateway.api.split(":")) as connection:
        connection.sendall(begin)
        connection.settimeout(10 * CLIENT_TIMEOUT_S)
        begun = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass
    assert CLIENT_TIMEOUT_S - 0.5 < time.monotonic() - begun < 3 * CLIENT_TIMEOUT_S
    gateway.stop()


def test_what_comes_back_is_no_header_of_ones_own(gateway, client):
    """The key and the request id are in the answer's head, whatever is in them; they begin no line
    there.
    """
    for name in ("idempotency-key", "x-request-id"):
        for value in ("a\r\n x-own: 1", "a\rx-own: 1", "a\nx-own: 1", "a\tb", "a\x0bb", "a\x7fb", "caf\u00e9", "a\x00b"):
            body = f'{{"events":["{ISSUED}"],"url":"{URL}"}}'
            text = head(client, "POST /v1/webhooks HTTP/1.1", JSON, f"content-length: {len(body)}", f"{name}: {value}", CLOSE) + body.encode()
            answer = raw(gateway.api, text, timeout=CLIENT_TIMEOUT_S + 3)
            assert len(statuses(answer)) <= 1 and not re.search(rb"\nx-own", answer), (name, value, answer)


def test_waiting_for_a_worker_is_not_slowness(make_world):
    with make_world() as alone:
        gateway = alone.gateway(gateway_timeout="2s", gateway_client_timeout="500ms")
        assert alone.client(gateway, alone.tenant())("GET", WEBHOOKS).status == 503


@pytest.mark.skipif(bool(SANITIZED), reason="a connection takes many times the memory there")
def test_idle_connections(gateway, client, report):
    """10,000 of them, and all others are served; then they are cut off."""
    count = 10000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 1000, hard), hard))
    host, port = gateway.api.split(":")
    idle = []
    for _ in range(count):
        idle.append(socket.create_connection((host, port), 5))
    assert client("GET", WEBHOOKS).status == 200
    report(f"{count} idle connections: {gateway.usage()[1]:.0f} MiB at most")
    until(lambda: gateway.metric("posthorn_gateway_connections") < 10, 30, "the idle ones to be cut off")
    for connection in idle:
        connection.close()


def test_more_connections_than_are_allowed(world, client):
    gateway = world.gateway("gateway-few", gateway_max_connections=8, gateway_client_timeout="1s")
    held = [socket.create_connection(gateway.api.split(":"), 5) for _ in range(20)]
    served = Client(gateway.api, client.token)

    def is_served():
        try:
            return served("GET", "/v1/events").status == 200
        except OSError:
            return False

    until(is_served, 10, "a connection when the idle ones are cut off")
    for connection in held:
        connection.close()
    gateway.stop()


def chance(a, b):
    """How often one of `a` is larger than one of `b`: a half where they are alike, whatever their
    scale and their outliers.
    """
    b = sorted(b)
    return sum(bisect.bisect_left(b, value) for value in a) / len(a) / len(b)


def test_tokens_by_prefix(gateway, client, report):
    """How much of a token is right shows in nothing: neither in the answer nor in its time."""
    wrong = {n: client.token[:n] + "A" * (len(client.token) - n) for n in (0, 4, 12, 24, 46)}
    wrong[46] = client.token[:46] + ("B" if client.token[46] == "A" else "A")
    took = {n: [] for n in wrong}
    bodies = set()
    connection, order = client.connect(), random.Random(1)
    for _ in range(500):
        for n in order.sample(list(wrong), len(wrong)):
            begun = time.perf_counter()
            connection.request("GET", "/v1/events", headers={"authorization": f"Bearer {wrong[n]}"})
            answer = connection.getresponse()
            bodies.add((answer.status, answer.read()))
            took[n].append(time.perf_counter() - begun)
    connection.close()
    assert [status for status, _ in bodies] == [401]
    # Of 500 that are alike a part of 0.1 more or less is five standard deviations.
    slower = {n: round(chance(times, took[0]), 3) for n, times in took.items()}
    report(f"a wrong token, by how much of it is right: the chance to take longer than with nothing right {slower}")
    assert all(0.4 < part < 0.6 for part in slower.values()), slower


def test_a_wrong_token_of_any_size(gateway, client):
    for token in ("", " ", client.token + " x", client.token * 300, "phk_" + "\xe9" * 43, client.token.replace("phk_", "PHK_")):
        answer = raw(gateway.api, f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n".encode("latin-1"))
        assert statuses(answer) == [401], token


@pytest.mark.skipif(bool(SANITIZED), reason="what is freed is kept for a while there")
def test_memory_stays(gateway, client):
    """Thousands of refused and broken requests leave nothing behind."""

    def round():
        for _ in range(300):
            raw(gateway.api, head(client, "POST /v1/webhooks HTTP/1.1", JSON, "content-length: 40000", CLOSE) + b"x" * 40000)
            socket.create_connection(gateway.api.split(":")).close()
        status = open(f"/proc/{gateway.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1])

    round()
    first = round()
    assert round() < first + 4096, "KiB"


def test_other_tenants_are_not_shown(world, gateway, client):
    """Not by id, not by cursor, not by key, not in an error."""
    other = world.client(gateway, world.tenant("victim"))
    body = {"events": [ISSUED], "url": URL + "/secret"}
    webhook = other("POST", WEBHOOKS, body, {"idempotency-key": "shared"}).json
    other("POST", WEBHOOKS, body)
    cursor = other("GET", f"{WEBHOOKS}?limit=1").json["nextCursor"]
    mine = client("POST", WEBHOOKS, body | {"url": URL + "/mine"}, {"idempotency-key": "shared"})
    assert mine.status == 201 and mine.json["id"] != webhook["id"], "a key is the tenant's own"
    answers = [
        client(method, f"{WEBHOOKS}/{webhook['id']}{path}", body)
        for method, path, body in (
            ("GET", "", None), ("DELETE", "", None), ("PUT", "", body), ("POST", "/test", None), ("POST", "/recover", {"since": 0}),
        )
    ]  # fmt: skip
    assert {answer.status for answer in answers} == {404}
    nobody = client("GET", f"{WEBHOOKS}/{uuid.uuid4()}").json
    assert answers[0].json["message"] == nobody["message"]
    listed = client("GET", f"{WEBHOOKS}?cursor={cursor}")
    assert all("secret" not in answer.body.decode() for answer in (*answers[:2], listed, client("GET", "/v1/events?limit=1000")))
    assert other("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook
