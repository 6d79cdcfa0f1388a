"""The bounds of a request are read in one way: a request that two programs could read in two ways
is one 400, and the end of the connection.
"""

import re
import socket
import time

import pytest
from env.http import Client, raw, raw_to_end, statuses
from env.proxies import proxy

WEBHOOKS = "/v1/webhooks"
HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"
N = len(HIDDEN)


@pytest.fixture(scope="module")
def gateway(world):
    return world.gateway(gateway_client_timeout="5s")


@pytest.fixture(scope="module")
def client(world, gateway):
    return world.client(gateway, world.tenant("framing"))


@pytest.fixture(scope="module", params=["itself", "haproxy", "nginx"])
def front(request, gateway, tmp_path_factory):
    """(its name, its address): the gateway, or the proxy before it."""
    if request.param == "itself":
        yield request.param, gateway.api
        return
    with proxy(request.param, tmp_path_factory.mktemp(request.param), gateway.api) as address:
        yield request.param, address


@pytest.fixture(autouse=True)
def leaves_nothing(gateway):
    yield
    gateway.wait_metric(0, "posthorn_gateway_requests", timeout=10)


def post(*lines, body=HIDDEN):
    head = b"\r\n".join([b"POST /v1/webhooks HTTP/1.1", b"host: x", *(line if isinstance(line, bytes) else line.encode() for line in lines)])
    return head + b"\r\n\r\n" + body


def get(*lines, target=b"/v1/webhooks", behind=b""):
    head = b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"host: x", *(line if isinstance(line, bytes) else line.encode() for line in lines)])
    return head + b"\r\n\r\n" + behind


def chunks(body):
    return post("transfer-encoding: chunked", body=body)


# What is sent, and the status of the one answer. Where HIDDEN stands, some program takes it for a
# request of its own.
REFUSED = {
    "blank-before-the-colon": (post(f"content-length : {N}"), 400),
    "tab-before-the-colon": (post(f"content-length\t: {N}"), 400),
    "folded-length": (post(f"content-length:\r\n {N}"), 400),
    "length-folded-with-a-tab": (post(f"content-length:\r\n\t{N}"), 400),
    "folded-coding": (post("transfer-encoding:\r\n chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (N, HIDDEN)), 400),
    "folded-value": (get("x: a\r\n b"), 400),
    "fold-behind-the-request-line": (b"GET /v1/webhooks HTTP/1.1\r\n host: x\r\n\r\n", 400),
    "no-name": (get(": x", behind=HIDDEN), 400),
    "a-name-that-begins-with-nul": (get(b"\0x: y", behind=HIDDEN), 400),
    "nul-in-a-length": (post(b"content-length: 0\0%d" % N), 400),
    "nul-behind-a-length": (post(b"content-length: %d\0" % N), 400),
    "nul-in-a-coding": (post(b"transfer-encoding: chunked\0x", body=b"0\r\n\r\n"), 400),
    "nul-in-a-value": (get(b"x: a\0b"), 400),
    "nul-in-the-target": (get(target=b"/v1/events\0/../secret"), 400),
    "bare-cr-in-a-value": (post(b"x: y\rcontent-length: %d" % N), 400),
    "bare-lf-for-an-end-of-line": (b"GET /v1/webhooks HTTP/1.1\nhost: x\n\n", 400),
    "extension-that-ends-with-lf": (chunks(b"2;a\n{}\r\n0\r\n\r\n"), 400),
    "size-that-ends-with-lf": (chunks(b"2\n{}\r\n0\r\n\r\n"), 400),
    "chunk-that-ends-with-lf": (chunks(b"2\r\n{}\n0\r\n\r\n"), 400),
    "last-chunk-that-ends-with-lf": (chunks(b"2\r\n{}\r\n0\n\r\n"), 400),
    "end-of-the-chunks-that-is-lf": (chunks(b"2\r\n{}\r\n0\r\n\n"), 400),
    "largest-chunk": (chunks(b"ffffffffffffffff\r\n" + HIDDEN), 413),
    "larger-chunk-than-that": (chunks(b"10000000000000000\r\n" + HIDDEN), 413),
    "negative-chunk": (chunks(b"-1\r\n" + HIDDEN), 400),
    "chunk-in-0x": (chunks(b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
    "blank-behind-a-size": (chunks(b"2 \r\n{}\r\n0\r\n\r\n"), 400),
    "no-end-of-a-chunk": (chunks(b"2\r\n{}0\r\n\r\n"), 400),
    "list-of-lengths": (post(f"content-length: {N}, {N}"), 400),
    "length-with-a-plus": (post(f"content-length: +{N}"), 400),
    "negative-length": (post("content-length: -1"), 400),
    "length-in-hex": (post(f"content-length: 0x{N:x}"), 400),
    "empty-length": (post("content-length:"), 400),
    "length-beyond-all-numbers": (post("content-length: 99999999999999999999"), 413),
    "length-twice": (post(f"content-length: {N}", f"content-length: {N}"), 400),
    "two-lengths": (post("content-length: 0", f"content-length: {N}"), 400),
    "length-then-chunked": (post(f"content-length: {N}", "transfer-encoding: chunked", body=b"0\r\n\r\n" + HIDDEN), 400),
    "chunked-then-length": (post("transfer-encoding: chunked", f"content-length: {N}", body=b"0\r\n\r\n" + HIDDEN), 400),
    "another-coding": (post("transfer-encoding: gzip", body=b"0\r\n\r\n"), 400),
    "another-coding-before-chunked": (post("transfer-encoding: gzip, chunked", body=b"0\r\n\r\n"), 501),
    "another-coding-behind-chunked": (post("transfer-encoding: chunked, identity", body=b"0\r\n\r\n"), 400),
    "chunked-twice": (post("transfer-encoding: chunked", "transfer-encoding: chunked", body=b"0\r\n\r\n"), 400),
    "chunked-behind-a-vertical-tab": (post(b"transfer-encoding: \x0bchunked", body=b"0\r\n\r\n" + HIDDEN), 400),
    "coding-of-http-1.0": (b"POST /v1/webhooks HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "two-hosts": (get("host: y"), 400),
    "no-host": (b"GET /v1/webhooks HTTP/1.1\r\n\r\n", 400),
    "http-2.0": (b"GET /v1/webhooks HTTP/2.0\r\nhost: x\r\n\r\n", 505),
    "http-0.9": (b"GET /v1/webhooks\r\n\r\n", 400),
    "version-in-lower-case": (b"GET /v1/webhooks http/1.1\r\nhost: x\r\n\r\n", 400),
    "cookies-without-end": (get(*["cookie: a;"] * 4000), 431),
    "parameters-without-end": (get(target=b"/v1/webhooks?" + b"a&" * 1000), 414),
    "target-without-end": (get(target=b"/" + b"a" * 100_000), 414),
    "another-expectation": (post("expect: tea", "content-length: 2", body=b"{}"), 417),
}


def of(client, sent):
    """With the client's token in the first head."""
    return sent.replace(b"host: x", f"host: x\r\nauthorization: Bearer {client.token}\r\ncontent-type: application/json".encode(), 1)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_one_answer_and_the_end(gateway, client, case):
    sent, status = case
    answer = raw_to_end(gateway.api, of(client, sent))
    assert statuses(answer) == [status], answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head and b"\r\ncontent-type: application/json" in head
    assert re.fullmatch(rb'{"code":"\w+","type":"(request|server)","message":"[^"]+","details":\[\]}', body)
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_nothing_is_hidden(gateway, client, front, case):
    """With any proxy before the gateway, a body never becomes a request of its own."""
    name, address = front
    before = gateway.metric("posthorn_gateway_answers_total", status="404")
    answer = raw(address, of(client, case[0]), timeout=1)
    assert len(statuses(answer)) <= 1 or (name != "itself" and 404 not in statuses(answer)), answer[:300]
    assert gateway.metric("posthorn_gateway_answers_total", status="404") == before


TAKEN = {
    # what is sent, and the statuses of the answers
    "get-with-a-body": (get("content-length: 3", "connection: close", behind=b"abc"), [401]),
    "chunked-with-a-trailer": (chunks(b"0\r\nauthorization: Bearer x\r\n\r\n") + get("connection: close"), [401, 401]),
    "pipelined": (get() * 20 + get("connection: close"), [401] * 21),
    "pipelined-behind-bodies": (post("content-length: 2", body=b"{}") * 3 + get("connection: close"), [401] * 4),
    "empty-line-first": (b"\r\n" + get("connection: close"), [401]),
    "head": (b"HEAD /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" + get("connection: close"), [200, 401]),
    "http-1.0": (b"GET /v1/webhooks HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" + get(), [401]),
    "blanks-around-values": (get("connection: \t close \t"), [401]),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_taken(gateway, case):
    sent, wanted = case
    assert statuses(raw_to_end(gateway.api, sent)) == wanted


def test_whole_requests_in_any_pieces(gateway, client):
    """A byte at a time, as they may come from a network; the empty line before a request too."""
    connection = client.connect()
    connection.connect()
    text = f"\r\nGET {WEBHOOKS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {client.token} \t\r\n\r\n".encode()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in text:
        connection.sock.sendall(bytes([byte]))
        time.sleep(0.001)  # a segment each
    assert statuses(connection.sock.recv(65536)) == [200]
    connection.close()


def test_continue(gateway, client):
    """A client that expects 100-continue gets it, unless its head is refused: then the refusal is
    the answer.
    """
    body = b'{"events":["OpenIdCredentialIssued"],"url":"http://127.0.0.1:9/hook"}'
    for token, wanted in ((client.token, [b"100", b"201"]), ("phk_x", [b"401"])):
        connection = client.connect()
        connection.connect()
        head = f"POST {WEBHOOKS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        connection.sock.sendall(f"{head}content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n".encode())
        answer = connection.sock.recv(65536)
        if b" 100 " in answer:
            connection.sock.sendall(body)
            answer += connection.sock.recv(65536)
        assert re.findall(rb"HTTP/1\.1 (\d+) ", answer) == wanted, answer
        connection.close()


def test_through_what_stands_before_it(front, client):
    """Ordinary requests, many over the connections that it keeps."""
    through = Client(front[1], client.token)
    for n in range(20):
        created = through("POST", WEBHOOKS, {"events": ["OpenIdCredentialIssued"], "url": f"http://127.0.0.1:9/{n}"})
        assert created.status == 201 and through("GET", created.headers["location"]).json == created.json
        assert through("DELETE", created.headers["location"]).status == 204
