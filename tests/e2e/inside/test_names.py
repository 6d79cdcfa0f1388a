"""Names, with a name server of our own: in a network namespace of its own, where port 53 is ours
and no packet leaves.
"""

import re
import time
from collections import Counter
from pathlib import Path

import pytest
from env import commands, programs
from env.names import NXDOMAIN, SERVFAIL, NameServer
from env.paths import RESOLVER_TIMEOUT_S
from env.plain import PlainReceiver
from env.receiver import Receivers
from env.tls import Authority, TlsReceiver, context
from env.verifier import verify
from env.wait import until

RETRY, SUCCESS = "WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_SUCCESS"
TIMEOUT_S, HANGING = 2, 700


@pytest.fixture(scope="module")
def names():
    return NameServer()


@pytest.fixture(scope="session")
def receivers(tmp_path_factory):
    receivers = Receivers(tmp_path_factory.mktemp("receiver"), named=[80])
    yield receivers
    receivers.close()


def attempt(world, url):
    """The event of the first attempt at the url."""
    tenant = world.tenant()
    created = world.ask(tenant, commands.create(url))
    assert created.status == 201, created.data
    world.issue(tenant)
    ended = lambda: [e for e in world.results.events if e.tenantId == tenant and e.type in (RETRY, SUCCESS)]
    return world.results.wait(ended, what=f"an attempt at {url}")[0]


# With nothing opened: whatever a name resolves to, nobody connects to a loopback address.


@pytest.fixture(scope="module")
def closed(make_world, names, tmp_path_factory):
    """(a world of default settings, with proxies in its environment; the listeners where nobody may
    come)
    """
    authority = Authority(tmp_path_factory.mktemp("tls"), "ours")
    certificate = context(authority.issue("any", ["refused.test", "127.0.0.1", "::1"]))
    listeners = [TlsReceiver(certificate, address, 443) for address in ("127.0.0.1", "127.0.0.2", "::1")] + [TlsReceiver(None, port=3128)]
    proxies = {name: "http://127.0.0.1:3128" for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")}
    programs.ENVIRONMENT.update(proxies)
    settings = {"endpoint.allow.http": "false", "endpoint.allow.networks": "", "endpoint.ca.file": authority.file}
    settings |= {"delivery.retry.schedule": "1h", "delivery.timeout": f"{TIMEOUT_S}s"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world, listeners
    for name in proxies:
        del programs.ENVIRONMENT[name]


REFUSED = {
    "loopback": ["127.0.0.1"],
    "loopback-far": ["127.255.255.254"],
    "loopback-6": ["::1"],
    "both": ["127.0.0.1", "::1"],
    "many": ["127.0.0.2", "127.0.0.1", "::1", "10.0.0.1", "169.254.169.254"],
    "mapped": ["::ffff:127.0.0.1"],
    "compatible": ["::127.0.0.1"],
    "nat64": ["64:ff9b::127.0.0.1"],
    "6to4": ["2002:7f00:1::1"],
    "zero": ["0.0.0.0"],
    "zero-6": ["::"],
    "alias": ["alias-2.test"],
    "metadata": ["169.254.169.254"],
    "private": ["192.168.1.1"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_of_a_refused_address(closed, names, name):
    world, listeners = closed
    names.zone |= {f"{name}.test": REFUSED[name], "alias-2.test": ["alias-3.test"], "alias-3.test": ["127.0.0.1"]}
    assert attempt(world, f"https://{name}.test/").data["reason"] == "no-address"
    assert [listener.connections for listener in listeners] == [0] * len(listeners)


@pytest.mark.parametrize("url", ["https://localhost/", "https://a.localhost/", "https://localhost:3128/"])
def test_localhost(closed, url):
    world, listeners = closed
    assert attempt(world, url).data["reason"] == "no-address"
    assert [listener.connections for listener in listeners] == [0] * len(listeners)


@pytest.mark.parametrize("answer", [NXDOMAIN, SERVFAIL, []], ids=["nxdomain", "servfail", "nothing"])
def test_a_name_without_an_address(closed, names, answer):
    """And no proxy is asked, which would know."""
    world, listeners = closed
    names.zone["without.test"] = answer
    assert attempt(world, "https://without.test/").data["reason"] == "no-address"
    assert listeners[-1].connections == 0


# With 127.0.0.1 alone opened: 127.0.0.2 stands for what is not.


@pytest.fixture(scope="module")
def half_open(make_world, names):
    settings = {"endpoint.allow.networks": "127.0.0.1/32", "delivery.retry.schedule": "1h", "delivery.timeout": f"{TIMEOUT_S}s"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


def stranger(port):
    return TlsReceiver(None, "127.0.0.2", port)


@pytest.mark.parametrize(
    "name, answer",
    [("bad-first", ["127.0.0.2", "127.0.0.1"]), ("bad-last", ["127.0.0.1", "127.0.0.2"]), ("bad-6", ["::1", "fd00::1", "127.0.0.1"])],
)
def test_one_bad_address_of_several(half_open, names, name, answer):
    """It is passed over."""
    endpoint, bad = half_open.receivers.endpoint(), stranger(half_open.receivers.ports[0])
    names.zone[f"{name}.test"] = answer
    url = endpoint.url.replace("127.0.0.1", f"{name}.test")
    assert attempt(half_open, url).type == SUCCESS
    assert (len(endpoint.requests), bad.connections) == (1, 0)
    bad.close()


def test_an_answer_that_changes(half_open, names):
    """Rebinding: what is checked is the address that is connected to, not an answer."""
    endpoint, bad = half_open.receivers.endpoint().answers({"status": 200, "headers": {"Connection": "close"}}), stranger(half_open.receivers.ports[0])
    for number in range(10):
        good_first = number % 2 == 0
        names.zone[f"rebinding-{number}.test"] = (["127.0.0.1"], ["127.0.0.2"]) if good_first else (["127.0.0.2"], ["127.0.0.1"])
        url = endpoint.url.replace("127.0.0.1", f"rebinding-{number}.test")
        for _ in range(2):
            event = attempt(half_open, url)
            assert event.type == SUCCESS or event.data["reason"] == "no-address"
    assert bad.connections == 0 and len(endpoint.requests) >= 5
    bad.close()


# A name that moves, under steady traffic.

LIFETIME_S, KEPT_S = 3, 10  # delivery.connection.lifetime here; how long an answer is kept


@pytest.fixture(scope="module")
def moving(make_world, names):
    settings = {"endpoint.allow.networks": "127.0.0.0/8", "delivery.timeout": f"{TIMEOUT_S}s", "delivery.connection.lifetime": f"{LIFETIME_S}s"}
    settings |= {"delivery.retry.schedule": "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s", "delivery.breaker.failures": 3, "delivery.breaker.probe.interval": "4s"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


def steady(world, tenant, reached, patience_s):
    """Seconds of a credential every 50 ms until it is so."""
    begun = time.monotonic()
    while not reached():
        assert time.monotonic() - begun < patience_s
        world.issue(tenant)
        time.sleep(0.05)
    return time.monotonic() - begun


def test_a_name_that_moves_is_followed(moving, names, report):
    old = PlainReceiver("127.0.0.1")
    new = PlainReceiver("127.0.0.2", old.port)
    names.zone["moves.test"] = ["127.0.0.1"]
    tenant = moving.tenant()
    assert moving.ask(tenant, commands.create(f"http://moves.test:{old.port}/")).status == 201
    steady(moving, tenant, lambda: old.requests >= 20, 20)
    assert old.connections < old.requests, "connections are kept"
    names.zone["moves.test"] = ["127.0.0.2"]
    took = steady(moving, tenant, lambda: new.requests, 60)
    report(f"a name that moved under steady traffic is followed after {took:.1f} s (connections {LIFETIME_S} s, answers {KEPT_S} s)")
    assert took < LIFETIME_S + KEPT_S + 3
    old.close()
    new.close()


def test_a_probe_goes_where_the_name_points_now(moving, names, report):
    """The old address answers 503 until the breaker opens; then the name moves: the very first
    probe reaches the new one.
    """
    old = PlainReceiver("127.0.0.1", status=503)
    new = PlainReceiver("127.0.0.2", old.port)
    names.zone["probed.test"] = ["127.0.0.1"]
    tenant = moving.tenant()
    webhook = moving.ask(tenant, commands.create(f"http://probed.test:{old.port}/")).data
    moving.issue(tenant)
    (worker,) = moving.workers
    until(lambda: re.search(f"only probes go to it.*{webhook['id']}", worker.log.read_text()), 20, "the breaker to open")
    before = old.requests
    names.zone["probed.test"] = ["127.0.0.2"]
    begun = time.monotonic()
    until(lambda: new.requests, 20, "a request at the new address")
    report(f"the first probe after a name moved reaches its new address ({time.monotonic() - begun:.1f} s)")
    steady(moving, tenant, lambda: new.requests >= 20, 20)
    assert old.requests == before
    old.close()
    new.close()


def threads(worker):
    return int(re.search(r"Threads:\s*(\d+)", Path(f"/proc/{worker.process.pid}/status").read_text())[1])


class Beside:
    """A healthy endpoint of its own, how long it waits at worst, and the most threads meanwhile."""

    def __init__(self, world, names):
        self.world, self.endpoint, self.tenant = world, world.receivers.endpoint(), world.tenant()
        self.most = 0
        names.zone[f"{self.tenant}.test"] = ["127.0.0.1"]
        self.endpoint.url = self.endpoint.url.replace("127.0.0.1", f"{self.tenant}.test")
        world.webhook(self.tenant, self.endpoint)

    def wait(self, times=30):
        (worker,) = self.world.workers
        longest = 0
        for _ in range(times):
            begun, count = time.monotonic(), len(self.endpoint.requests)
            self.world.issue(self.tenant)
            self.endpoint.wait(count + 1)
            longest, self.most = max(longest, time.monotonic() - begun), max(self.most, threads(worker))
        return longest


def test_a_name_server_that_hangs(half_open, names, report):
    """Neither who is known to be well waits, nor who is new beside those that did not resolve
    before; nor are there threads without end.
    """
    world, (worker,), tenant = half_open, half_open.workers, half_open.tenant()
    known = Beside(world, names)
    alone = known.wait()
    before = threads(worker)
    created = [world.writer.ask(tenant, commands.create(f"http://n{number}.hang.test/")) for number in range(HANGING)]
    world.writer.flush()
    assert {world.results.end(id, timeout=60).status for id in created} == {201}
    failed = lambda: [e for e in world.results.events if e.tenantId == tenant and e.type == RETRY]
    for wave, who in enumerate(("known", "new"), 1):
        world.issue(tenant)
        until(lambda: threads(worker) > before + 100, what="look-ups that hang")
        beside = known if who == "known" else Beside(world, names)
        longest = beside.wait()
        report(
            f"{HANGING} names hang, at most {beside.most - before} threads more; one that is {who} waits {longest * 1000:.0f} ms at worst (alone {alone * 1000:.0f})"
        )
        assert longest < TIMEOUT_S
        # A thread lives as long as the C library asks, which may be longer than its attempt.
        assert beside.most - before <= 512 * (1 + RESOLVER_TIMEOUT_S // TIMEOUT_S)
        world.results.wait(lambda count=wave * HANGING: len(failed()) == count, 90, "all to time out")
    assert {event.data["reason"] for event in failed()} == {"timeout"}
    until(lambda: threads(worker) <= before + 1, 30, "the threads to end")


# What is sent is what is signed, whatever the url looks like.

FORMS = [
    "http://{host}:{port}{path}",
    "http://{host}:{port}{path}?a=1&b=2",
    "http://{host}:{port}{path}?",
    "http://{host}:{port}{path}?a=b%20c&%C3%BC=%2F&d=e+f&g",
    "http://{host}:{port}{path}/%C3%A9/%2F/a%20b;c=d,e/@:!$&()*+=~",
    "http://{host}:{port}{path}/ü ö/'x'{{y}}|^`?q='{{}}|^`ü",
    "http://{host}:{port}{path}/./a/../b//c/",
    "http://{host}:{port}{path}/a./b..",
    "http://{host}:{port}{path}?url=https://other.example/?x=/../%23",
    "HTTP://{upper}:0{port}{path}/%7e%41",
    "http://{host}{path}?port=default",
    "http://{host}:80{path}",
]
HOSTS = ["plain.test", "bücher.test", "例え.テスト", "xn--bcher-kva.test", "a-b_c.1.test", "127.0.0.1"]
NORMAL = {"bücher.test": "xn--bcher-kva.test", "例え.テスト": "xn--r8jz45g.xn--zckzah"}
CALLBACKS = 1000


def urls(port):
    """Webhooks' urls, in all forms at all hosts, and two without a path."""
    for form in FORMS:
        for host in HOSTS:
            yield form.format(host=host, upper=host.upper(), port=port, path=f"/{commands.unique('form')}")
    for host in ("plain.test", "bücher.test"):
        yield f"http://{host}"
        yield f"http://{host}:{port}?query=alone"


def test_every_callback_verifies(half_open, names, report):
    world = half_open
    port = world.receivers.ports[0]
    names.zone |= {NORMAL.get(host, host): ["127.0.0.1"] for host in HOSTS}
    listed = list(urls(port))
    tenants = [world.tenant() for _ in range(-(-len(listed) // 5))]
    webhooks = {}
    for number, url in enumerate(listed):
        created = world.ask(tenants[number // 5], commands.create(url))
        assert created.status == 201, (url, created.data)
        webhooks[created.data["id"]] = (tenants[number // 5], created.data["url"])
    rounds, rotating = -(-CALLBACKS // len(listed)), tenants[::2]
    for number in range(rounds):
        for tenant in tenants:
            world.issue(tenant)
            if number == rounds // 2 and tenant in rotating:
                assert world.ask(tenant, commands.rotate_key()).status == 201
    tests = [world.ask(tenant, commands.send_test(id)) for id, (tenant, _) in webhooks.items()]
    assert {end.status for end in tests} == {202}
    count = len(listed) * (rounds + 1)

    def arrived():
        world.receivers.read()
        found = [r for requests in world.receivers.by_path.values() for r in requests if r.json["webhookId"] in webhooks]
        return len(found) >= count and found

    callbacks = until(arrived, 60, f"{count} callbacks")
    keys = {tenant: world.jwks(tenant) for tenant in tenants}
    kids = set()
    for callback in callbacks:
        tenant, url = webhooks[callback.json["webhookId"]]
        kids.add((tenant, verify(callback, keys[tenant])))
        assert f"http://{callback.headers['host']}{callback.target}" == url
    kinds = Counter(callback.json["event"]["type"] for callback in callbacks)
    report(
        f"{len(callbacks)} callbacks to {len(listed)} urls verify, {kinds['WebhookTest']} of them tests, signed with {len(kids)} keys of {len(tenants)} tenants"
    )
    assert len(callbacks) == count and kinds["WebhookTest"] == len(listed) and len(kids) > len(tenants)
