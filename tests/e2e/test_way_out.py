"""The way out of a network: callbacks through a forward proxy, which is a real one, and a client
certificate for endpoints that ask for one.
"""

import os
import re

import pytest
from env import commands, programs
from env.paths import REFUSING_PORT
from env.smokescreen import Smokescreen
from env.tls import Authority, TlsReceiver, context
from env.verifier import verify
from env.wait import until

RETRY, SUCCESS = "WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_SUCCESS"
FAILURES, PENDING = 3, 30
LOOPBACK = ("--allow-range", "127.0.0.0/8")
PASSWORD = "opensesame-%s" % os.urandom(6).hex()
SETTINGS = {
    "delivery.breaker.failures": FAILURES,
    "delivery.breaker.probe.interval": "500ms",
    "delivery.retry.schedule": "100ms" + 40 * ",1s",
    "delivery.retry.jitter": 0,
    "delivery.timeout": "5s",
    "delivery.max.in.flight.per.endpoint": 8,
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("good", ["127.0.0.1", "127.0.0.2"])


@pytest.fixture
def smokescreen(tmp_path):
    """Starts one that reaches loopback, or what its arguments say."""
    started = []

    def start(*arguments, **options):
        started.append(Smokescreen(tmp_path, *arguments or LOOPBACK, **options))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def behind(make_world, authority):
    """A context: a world whose worker goes through the proxy."""

    def make(proxy, **settings):
        own = {"endpoint.proxy": proxy.url, "endpoint.ca.file": authority.file}
        return make_world(settings=SETTINGS | own | {key.replace("_", "."): value for key, value in settings.items()})

    return make


def webhook_at(world, url):
    """A new tenant with a webhook there."""
    tenant = world.tenant()
    created = world.ask(tenant, commands.create(url))
    assert created.status == 201, created.data
    return tenant


def issue(world, tenant, count=1):
    for _ in range(count):
        world.writer.issuance(commands.issuance(tenant))
    world.writer.flush()


def events(world, tenant, type):
    return [event for event in world.results.events if event.tenantId == tenant and event.type == type]


def wait_events(world, tenant, type, count=1, timeout=30):
    return world.results.wait(lambda: len(found := events(world, tenant, type)) >= count and found, timeout, f"{count} {type}")


def log_line(worker, pattern):
    return until(lambda: re.search(pattern, worker.log.read_text()), 10, f"{pattern} in the log")[0]


def attempts(worker, result):
    return worker.metric("posthorn_attempts_total", result=result)


# The proxy


def test_https_goes_through_a_tunnel(behind, smokescreen, certificate):
    proxy, receiver = smokescreen(), TlsReceiver(context(certificate))
    with behind(proxy) as world:
        world.worker()
        tenant = webhook_at(world, receiver.url)
        issue(world, tenant)
        wait_events(world, tenant, SUCCESS)
        assert receiver.requests == 1
        assert proxy.decisions(receiver.url) == [("connect", f"127.0.0.1:{receiver.port}", True)]


def test_http_goes_in_the_absolute_form(behind, smokescreen):
    """And is signed as ever: the receiver sees the path alone."""
    proxy = smokescreen()
    with behind(proxy) as world:
        world.worker()
        endpoint = world.receivers.endpoint(query="?a=b%20c")
        tenant = webhook_at(world, endpoint.url)
        issue(world, tenant)
        wait_events(world, tenant, SUCCESS)
        [request] = endpoint.requests
        assert request.target == f"{endpoint.path}?a=b%20c"
        assert not {name for name in request.headers if name.startswith("proxy-")}
        verify(request, world.jwks(tenant))
        assert [decision.kind for decision in proxy.decisions(endpoint.url)] == ["http"]


def test_the_proxy_is_not_taken_from_the_environment(make_world, smokescreen, monkeypatch):
    proxy = smokescreen()
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setitem(programs.ENVIRONMENT, name, proxy.url)
    with make_world(settings=SETTINGS) as world:
        world.worker()
        endpoint = world.receivers.endpoint()
        tenant = webhook_at(world, endpoint.url)
        issue(world, tenant)
        wait_events(world, tenant, SUCCESS)
        assert not proxy.decisions(endpoint.url)


def test_exceptions_go_directly(behind, smokescreen, certificate):
    """Also while the proxy is away, and nobody else's do: nor does no_proxy of the environment."""
    proxy = smokescreen()
    direct, through = (TlsReceiver(context(certificate), f"127.0.0.{n}") for n in (2, 1))
    direct.url = direct.url.replace("127.0.0.1", "127.0.0.2")
    with behind(proxy, endpoint_proxy_except="corp.example,127.0.0.2/31") as world:
        world.worker()
        tenants = [webhook_at(world, receiver.url) for receiver in (direct, through)]
        for tenant in tenants:
            issue(world, tenant)
            wait_events(world, tenant, SUCCESS)
        assert not proxy.decisions(direct.url) and proxy.decisions(through.url)
        proxy.kill()
        issue(world, tenants[0], 5)
        wait_events(world, tenants[0], SUCCESS, 6)


@pytest.mark.parametrize("place", ["url", "file"])
def test_a_login(behind, smokescreen, tmp_path, certificate, place):
    proxy, receiver = smokescreen(*LOOPBACK, login=f"us er:{PASSWORD}@"), TlsReceiver(context(certificate))
    file = tmp_path / "password"
    file.touch(0o600)
    file.write_text(f"{PASSWORD}@\n")
    settings = {
        "url": {"endpoint.proxy": f"http://us%20er:{PASSWORD}%40@{proxy.address}"},
        "file": {"endpoint.proxy": f"http://us%20er@{proxy.address}", "endpoint.proxy.password.file": file},
    }
    with behind(proxy, **settings[place]) as world:
        worker = world.worker()
        for url in (receiver.url, world.receivers.endpoint().url):
            tenant = webhook_at(world, url)
            issue(world, tenant)
            wait_events(world, tenant, SUCCESS)
            assert proxy.decisions(url)[-1].allowed
        assert receiver.last.startswith(b"POST / HTTP/1.1\r\n") and b"\r\nproxy-" not in receiver.last.lower()
        assert PASSWORD not in worker.log.read_text()


def test_a_wrong_login_opens_no_breaker(behind, smokescreen, certificate):
    proxy, receiver = smokescreen(*LOOPBACK, login="user:another"), TlsReceiver(context(certificate))
    with behind(proxy, endpoint_proxy=f"http://user:{PASSWORD}@{proxy.address}") as world:
        worker = world.worker()
        for url in (receiver.url, world.receivers.endpoint().url):
            tenant = webhook_at(world, url)
            issue(world, tenant)
            retries = wait_events(world, tenant, RETRY, FAILURES + 2)
            assert {(event.data["reason"], event.data["status"]) for event in retries} == {("proxy", None)}
        line = log_line(worker, "reason=proxy-refused.*407.*")
        assert PASSWORD not in worker.log.read_text() and "level=error" not in line
        assert attempts(worker, "proxy_refused") >= 2 * (FAILURES + 2)
        assert worker.metric("posthorn_endpoints_failing") == worker.metric("posthorn_proxy_failing") == 0


def test_one_that_the_proxy_refuses_is_nobody_elses_business(behind, smokescreen, certificate):
    """The proxy guards the addresses: it reaches one, and not the other."""
    refused, good = TlsReceiver(context(certificate)), TlsReceiver(context(certificate), "127.0.0.2")
    good.url = good.url.replace("127.0.0.1", "127.0.0.2")
    proxy = smokescreen("--allow-range", "127.0.0.2/32")
    with behind(proxy) as world:
        worker = world.worker()
        tenants = [webhook_at(world, receiver.url) for receiver in (refused, good)]
        issue(world, tenants[0], PENDING)
        wait_events(world, tenants[0], RETRY, PENDING)
        issue(world, tenants[1], PENDING)
        wait_events(world, tenants[1], SUCCESS, PENDING, timeout=5)
        assert {event.data["reason"] for event in events(world, tenants[0], RETRY)} == {"proxy"}
        assert refused.connections == 0 and not proxy.decisions(refused.url)[0].allowed
        assert worker.metric("posthorn_endpoints_failing") == worker.metric("posthorn_proxy_failing") == 0


def test_one_that_the_proxy_does_not_reach_fails_alone(behind, smokescreen, certificate):
    proxy, good = smokescreen(), TlsReceiver(context(certificate))
    with behind(proxy) as world:
        worker = world.worker()
        tenant = webhook_at(world, f"https://127.0.0.1:{REFUSING_PORT}/")
        issue(world, tenant, PENDING)
        retries = wait_events(world, tenant, RETRY, FAILURES)
        assert {event.data["reason"] for event in retries} == {"proxy"}
        log_line(worker, "reason=proxy-gateway.*502")
        until(lambda: worker.metric("posthorn_endpoints_failing") == 1, what="its breaker to open")
        other = webhook_at(world, good.url)
        issue(world, other, PENDING)
        wait_events(world, other, SUCCESS, PENDING)
        assert worker.metric("posthorn_proxy_failing") == 0


def test_addresses_outside_the_networks_are_refused(behind, smokescreen, certificate):
    """When a webhook is created; and in a request, where the networks were others before."""
    proxy, receiver = smokescreen(), TlsReceiver(context(certificate))
    with behind(proxy) as world:
        worker = world.worker()
        refused = world.ask(world.tenant(), commands.create("https://10.0.0.1/"))
        assert refused.status == 400 and "endpoint.allow.networks" in str(refused.data)
        tenant = webhook_at(world, receiver.url)
        worker.stop()
        worker = world.worker(endpoint_allow_networks="10.0.0.0/8")
        issue(world, tenant)
        [retry, *_] = wait_events(world, tenant, RETRY)
        assert retry.data["reason"] == "no-address"
        log_line(worker, 'reason=address-refused error="an address outside endpoint.allow.networks"')
        assert not proxy.decisions(receiver.url) and receiver.connections == 0


def fill(world, count, answer=200):
    """(tenant, endpoint) of as many endpoints, each with deliveries on their way."""
    all = []
    for n in range(count):
        endpoint = world.receivers.endpoint(port=n).answers(answer)
        all.append((webhook_at(world, endpoint.url), endpoint))
    for tenant, _ in all:
        issue(world, tenant, PENDING)
    return all


def check_all_come(world, all):
    """Every delivery, and no webhook has ever been told that it fails."""
    for tenant, endpoint in all:
        wait_events(world, tenant, SUCCESS, PENDING, timeout=60)
        assert len({request.id for request in endpoint.requests}) == PENDING
        assert not any(webhook["failingSince"] for webhook in world.state.kind("webhook", tenant).values())


def test_a_proxy_that_is_away_is_nobodys_fault(behind, smokescreen, certificate):
    """Deliveries wait, one at a time tries it, and others go on; the worker stays ready."""
    proxy, direct = smokescreen(), TlsReceiver(context(certificate), "127.0.0.2")
    with behind(proxy, endpoint_proxy_except="127.0.0.2") as world:
        worker = world.worker()
        free = webhook_at(world, direct.url.replace("127.0.0.1", "127.0.0.2"))
        proxy.kill()
        all = fill(world, 8)
        until(lambda: worker.metric("posthorn_proxy_failing"), what="the proxy to be found away")
        log_line(worker, f"level=warn.*the proxy fails.*{proxy.port}")
        before = attempts(worker, "proxy_connect")
        retry = wait_events(world, all[0][0], RETRY) if events(world, all[0][0], RETRY) else []
        assert {event.data["reason"] for event in retry} <= {"proxy"}
        until(lambda: attempts(worker, "proxy_connect") >= before + 2, what="it to be tried again")
        assert attempts(worker, "proxy_connect") < before + PENDING
        issue(world, free, PENDING)
        wait_events(world, free, SUCCESS, PENDING, timeout=5)
        assert worker.metric("posthorn_endpoints_failing") == 0 and worker.get("/readyz").code == 200
        proxy.start()
        check_all_come(world, all)
        assert worker.metric("posthorn_proxy_failing") == 0
        log_line(worker, "the proxy answers again")


def test_a_proxy_that_dies_in_the_middle_is_nobodys_fault(behind, smokescreen):
    """More attempts of each endpoint than open a breaker break at one moment."""
    proxy = smokescreen()
    with behind(proxy) as world:
        worker = world.worker()
        all = fill(world, 6, {"status": 200, "delay": 1})
        until(lambda: all[0][1].requests and worker.metric("posthorn_attempts_in_flight") > 6 * FAILURES, what="attempts to be under way")
        proxy.kill()
        until(lambda: attempts(worker, "proxy_broken") > 6, what="them to break")
        until(lambda: worker.metric("posthorn_proxy_failing"), what="the proxy to be found away")
        assert worker.metric("posthorn_endpoints_failing") == 0
        for _, endpoint in all:
            endpoint.answers(200)
        proxy.start()
        check_all_come(world, all)


def test_an_endpoint_that_breaks_its_connections_fails(behind, smokescreen, certificate):
    """Through a proxy that lives: its breaker opens as ever, and nobody else's."""
    proxy, bad, good = smokescreen(), TlsReceiver(context(certificate)), TlsReceiver(context(certificate))
    bad.answers = False
    with behind(proxy) as world:
        worker = world.worker()
        failing, other = webhook_at(world, bad.url), webhook_at(world, good.url)
        issue(world, failing, PENDING)
        until(lambda: worker.metric("posthorn_endpoints_failing") == 1, what="its breaker to open")
        assert attempts(worker, "proxy_broken") >= FAILURES
        issue(world, other, PENDING)
        wait_events(world, other, SUCCESS, PENDING, timeout=5)
        assert worker.metric("posthorn_proxy_failing") == 0


# The client certificate


def pair(authority, name, certificate_file, key_file):
    """Writes a client's certificate and key; both files have both, as some tools write them."""
    text = authority.issue(name, []).read_text()
    for file in (certificate_file, key_file):
        file.touch(0o600)
        file.write_text(text)


@pytest.fixture
def files(tmp_path, authority):
    files = tmp_path / "client.pem", tmp_path / "client.key"
    pair(authority, "first", *files)
    return files


@pytest.fixture
def asking(authority, certificate):
    return TlsReceiver(context(certificate, clients=authority.file))


@pytest.fixture
def with_certificate(make_world, authority, files):
    """A context: a world whose worker has the certificate."""

    def make(**settings):
        own = {"endpoint.tls.certificate.file": files[0], "endpoint.tls.key.file": files[1], "endpoint.ca.file": authority.file}
        return make_world(settings=SETTINGS | own | settings)

    return make


def send(world, tenant, receiver):
    """The client's name as the receiver saw it in one more delivery."""
    before = len(receiver.clients)
    issue(world, tenant)
    until(lambda: len(receiver.clients) > before, what="a connection")
    wait_events(world, tenant, SUCCESS, before + 1)
    return receiver.clients[-1]


def test_one_that_asks_for_a_certificate_gets_it(with_certificate, asking, certificate):
    with with_certificate() as world:
        world.worker()
        assert send(world, webhook_at(world, asking.url), asking) == "first"
        silent = TlsReceiver(context(certificate))
        assert send(world, webhook_at(world, silent.url), silent) is None


def test_it_goes_through_the_tunnel(with_certificate, smokescreen, asking):
    proxy = smokescreen()
    with with_certificate(**{"endpoint.proxy": proxy.url}) as world:
        world.worker()
        assert send(world, webhook_at(world, asking.url), asking) == "first"
        assert proxy.decisions(asking.url)


def test_without_one_the_handshake_fails(make_world, authority, asking):
    with make_world(settings=SETTINGS | {"endpoint.ca.file": authority.file}) as world:
        worker = world.worker()
        tenant = webhook_at(world, asking.url)
        issue(world, tenant)
        [retry, *_] = wait_events(world, tenant, RETRY)
        assert retry.data["reason"] == "tls"
        log_line(worker, "alert certificate_required received")


def test_a_new_one_is_taken_by_a_running_worker(with_certificate, authority, files, asking):
    with with_certificate() as world:
        worker = world.worker()
        tenant = webhook_at(world, asking.url)
        assert [send(world, tenant, asking) for _ in range(2)] == ["first", "first"]
        pair(authority, "second", *files)
        until(lambda: send(world, tenant, asking) == "second", 10, "the new certificate")
        log_line(worker, "the client certificate has changed")
        assert not asking.resumed[asking.clients.index("second")], "no session of the former one"


def test_a_half_written_pair_keeps_the_former_one(with_certificate, authority, files, asking, tmp_path):
    with with_certificate() as world:
        worker = world.worker()
        tenant = webhook_at(world, asking.url)
        assert send(world, tenant, asking) == "first"
        pair(authority, "second", files[0], tmp_path / "aside")
        until(lambda: send(world, tenant, asking) and "the former one stays" in worker.log.read_text(), 10, "the change to be seen")
        log_line(worker, f'level=warn.*the former one stays" file="?{files[1]}"? error="key values mismatch"')
        assert set(asking.clients) == {"first"}
        (tmp_path / "aside").rename(files[1])
        until(lambda: send(world, tenant, asking) == "second", 10, "the new certificate")


@pytest.mark.parametrize("fault", ["missing", "mode", "mismatch"])
def test_a_pair_that_cannot_be_used_is_told_at_the_start(fresh_world, authority, files, tmp_path, fault):
    if fault == "missing":
        files[1].unlink()
    elif fault == "mode":
        files[1].chmod(0o644)
    else:
        pair(authority, "second", files[0], tmp_path / "aside")
    settings = {"endpoint_tls_certificate_file": files[0], "endpoint_tls_key_file": files[1]}
    worker = fresh_world.worker(ready=False, **settings)
    worker.expect_error("client certificate for endpoints|cannot start the delivery engine")
    assert worker.wait_end() == 1
    assert re.search(f"endpoint.tls.key.file.*{files[1]}", worker.log.read_text())
