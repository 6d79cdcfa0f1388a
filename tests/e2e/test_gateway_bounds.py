"""One client's load leaves room for the others: connections, places in the queue, memory, the
operators' port.
"""

import contextlib
import os
import re
import resource
import select
import socket
import time

import pytest
from env.http import statuses
from env.sanitizer import PATIENCE, SANITIZED
from env.wait import until

WEBHOOKS = "/v1/webhooks"
PAGE = b"GET /page.js HTTP/1.1\r\nhost: x\r\n\r\n"
UNFINISHED = b"POST /v1/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{"
HALF = b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: "
# Of each shape that is refused; with 30000 the figures are those that a flood would show.
REPEATS = int(os.environ.get("POSTHORN_TEST_REPEATS", "2000"))


@pytest.fixture(autouse=True, scope="module")
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(6000, hard)), hard))


def resident_mib(program):
    return int(re.search(r"VmRSS:\s*(\d+)", open(f"/proc/{program.process.pid}/status").read())[1]) / 1024


def connect(address, source=None, timeout=5):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout, source_address=(source, 0) if source else None)


def ask(connection, path=b"/openapi.json"):
    """The status of the answer, all of which is read; None: the connection has ended."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while portion := connection.recv(1 << 20):
            answer += portion
            head, _, body = answer.partition(b"\r\n\r\n")
            if body and len(body) == int(re.search(rb"content-length: (\d+)", head)[1]):
                return statuses(head)[0]
    return None


def has_ended(connection):
    return bool(select.select([connection], [], [], 0)[0]) and connection.recv(1, socket.MSG_DONTWAIT) == b""


def test_a_crowd_from_one_address_makes_room_itself(world):
    """A client that holds all connections loses the oldest to the next client; other clients lose
    none.
    """
    gateway = world.gateway("gateway-crowd", gateway_max_connections=100)
    regular = connect(gateway.api, "127.0.0.2")
    assert ask(regular) == 200
    with contextlib.ExitStack() as crowd:
        held = [crowd.enter_context(connect(gateway.api)) for _ in range(400)]
        for source in ("127.0.0.3", "127.0.0.1"):
            with connect(gateway.api, source, 1 * PATIENCE) as newcomer:
                assert ask(newcomer) == 200
        assert ask(regular) == 200, "the same connection"
        assert gateway.metric("posthorn_gateway_connections") <= 100
        until(lambda: has_ended(held[0]), what="the oldest to be closed")
        assert not has_ended(held[-1])
    regular.close()
    gateway.wait_metric(0, "posthorn_gateway_connections", timeout=5)
    gateway.stop()


@pytest.mark.parametrize("program", ["worker", "gateway"])
def test_half_requests_do_not_silence_the_operators_port(world, gateway, report, program):
    """Whether they are closed at once or held."""
    address = (world.workers[0] if program == "worker" else gateway).address

    def livez():
        begun = time.monotonic()
        with connect(address, timeout=10) as connection:
            assert ask(connection, b"/livez") == 200
        return time.monotonic() - begun

    took = {}
    for name, count, is_held in (("500 closed at once", 500, False), ("4161 closed at once", 4161, False), ("1000 held", 1000, True)):
        with contextlib.ExitStack() as held:
            for _ in range(count):
                connection = connect(address)
                connection.sendall(HALF)
                held.enter_context(connection) if is_held else connection.close()
            took[name] = max(livez() for _ in range(5))
    report(f"/livez of the {program} behind half requests: " + ", ".join(f"{name}: {s * 1000:.0f} ms" for name, s in took.items()))
    assert max(took.values()) < 1 * PATIENCE


def test_answers_that_nobody_reads(world, report):
    """A client that requests many answers and reads none has one of them in memory; others are
    served, and the memory is given back.
    """
    gateway = world.gateway("gateway-unread", gateway_client_timeout="2s")
    before, slowest = resident_mib(gateway), 0
    with contextlib.ExitStack() as unread:
        for _ in range(1000):
            connection = unread.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((gateway.api.split(":")[0], int(gateway.api.split(":")[1])))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.send(PAGE * 200)
        for _ in range(5):
            begun = time.monotonic()
            with connect(gateway.api) as other:
                assert ask(other) == 200
            slowest = max(slowest, time.monotonic() - begun)
        until(lambda: gateway.metric("posthorn_gateway_connections") < 10, 20, "them to be cut off")
    after = resident_mib(gateway)
    report(
        f"1000 that read nothing: others waited {slowest * 1000:.0f} ms at most; {before:.0f} MiB before, {gateway.usage()[1]:.0f} at most, {after:.0f} after"
    )
    assert slowest < 3 * PATIENCE and (SANITIZED or (gateway.usage()[1] < before + 64 and after < before + 16))
    gateway.wait_metric(0, "posthorn_gateway_requests")
    gateway.stop()


def test_a_tenant_leaves_room_in_the_queue(make_world):
    """However much it asks for; and of the others each may wait as well."""
    with make_world() as alone:
        gateway = alone.gateway(gateway_timeout="3s", gateway_max_in_flight=20)
        greedy, modest = (alone.client(gateway, alone.tenant(name)) for name in ("greedy", "modest"))
        connections = [greedy.connect() for _ in range(30)]
        for connection in connections:
            connection.request("GET", WEBHOOKS, headers={"authorization": f"Bearer {greedy.token}"})
        gateway.wait_metric(19, "posthorn_gateway_answers_total", timeout=5, status="429")
        assert modest("GET", WEBHOOKS).status == 503, "it waited, for a worker that is not there"
        got = [connection.getresponse().status for connection in connections]
        assert sorted(got) == [429] * 19 + [503] * 11


def test_a_connection_rests_longer_than_a_request_may_take(world):
    """Between two requests: a load balancer keeps its connections for a minute, and would otherwise
    send a request into a closed one.
    """
    gateway = world.gateway("gateway-rest", gateway_client_timeout="500ms", gateway_idle_timeout="4s")
    connection = connect(gateway.api, timeout=10 * PATIENCE)
    assert ask(connection) == 200
    assert not select.select([connection], [], [], 2)[0], "it rests"
    assert ask(connection) == 200
    begun = time.monotonic()
    assert connection.recv(1) == b""
    assert 3.5 < time.monotonic() - begun < 8 * PATIENCE
    # One that has begun a request rests no longer.
    with connect(gateway.api) as begun_one:
        assert ask(begun_one) == 200
        begun_one.sendall(HALF)
        begun = time.monotonic()
        assert begun_one.recv(1) == b""
        assert time.monotonic() - begun < 3.5, "less than a rest"
    # Nor one whose head came at once: it has the time of a request, from its beginning.
    with connect(gateway.api, timeout=10 * PATIENCE) as half_a_body:
        assert ask(half_a_body) == 200
        half_a_body.sendall(UNFINISHED)
        begun = time.monotonic()
        assert half_a_body.recv(1) == b""
        assert time.monotonic() - begun < 3.5, "less than a rest"
    gateway.stop()


def test_a_request_at_the_end_of_a_rest_has_its_whole_time(world):
    """A request that begins just before its connection would be shut is served."""
    gateway = world.gateway("gateway-late", gateway_client_timeout="10s", gateway_idle_timeout="2s")
    with connect(gateway.api, timeout=10 * PATIENCE) as late:
        assert ask(late) == 200
        time.sleep(1.5)  # of its rest
        late.sendall(UNFINISHED)
        assert not select.select([late], [], [], 1.5)[0], "it is not shut in the middle"
        late.sendall(b"}")
        assert statuses(late.recv(65536)) == [401]
    gateway.stop()


def get(target, *lines):
    return "\r\n".join([f"GET {target} HTTP/1.1", "host: x", *lines, "", ""]).encode()


def post(*lines, body=b"{}"):
    return "\r\n".join(["POST /v1/webhooks HTTP/1.1", "host: x", *lines, "", ""]).encode() + body


SHAPES = {
    "parameters": get("/?" + "a&" * 1000),
    "parameters-on-a-path": get("/v1/events?" + "a&" * 1000),
    "target": get("/" + "a" * 20000),
    "headers": get("/", *["cookie: a;"] * 4000),
    "no-token": get(WEBHOOKS, "connection: close"),
    "nul": get("/", "x: a\0b"),
    "bad-length": post("content-length: 1, 2"),
    "bad-chunk": post("transfer-encoding: chunked", body=b"zz\r\n"),
    "body-refused": post("content-length: 40000", body=b"x" * 1000),
    "half-a-head": b"GET / HTTP/1.1\r\nhost: x\r\nx: y",
    "half-a-body": post("content-length: 100"),
}


@pytest.mark.skipif(bool(SANITIZED), reason="what is freed is kept for a while there")
def test_refused_requests_leave_nothing(world, report):
    """Of each shape thousands, closed by their client once it has an answer, or at once where none
    will come.
    """
    gateway = world.gateway("gateway-shapes")

    def flood(shape, count):
        for _ in range(count):
            with connect(gateway.api) as connection, contextlib.suppress(ConnectionError):
                connection.sendall(shape)
                if not shape.startswith((SHAPES["half-a-head"], SHAPES["half-a-body"], SHAPES["body-refused"])):
                    connection.recv(4096)
        until(lambda: gateway.metric("posthorn_gateway_requests") == gateway.metric("posthorn_gateway_connections") == 0, 10, "all to be gone")

    for shape in SHAPES.values():
        flood(shape, 200)
    warm, before = resident_mib(gateway), resident_mib(gateway)
    for name, shape in SHAPES.items():
        flood(shape, REPEATS)
        after = resident_mib(gateway)
        report(f"{REPEATS} times {name}: {before:.1f} MiB before, {after:.1f} after")
        before = after
    assert before < warm + 8, "MiB"
    gateway.stop()
