"""Endpoints' certificates: a wrong one ends the attempt, and the log names its fault."""

import re
import ssl

import pytest
from env import commands
from env.tls import DAY, Authority, TlsReceiver, context
from env.wait import until

RETRY, SUCCESS = "WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_SUCCESS"
HOSTS = 24


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def world(make_world, authority):
    settings = {"endpoint.ca.file": authority.file, "delivery.timeout": "5s", "delivery.retry.schedule": "1h", "delivery.breaker.failures": 1}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


def attempt(world, url):
    """(webhook, the event of the first attempt at it)"""
    tenant = world.tenant()
    webhook = world.ask(tenant, commands.create(url)).data
    world.issue(tenant)
    ended = lambda: [e for e in world.results.events if e.tenantId == tenant and e.type in (RETRY, SUCCESS)]
    return webhook, world.results.wait(ended, what="an attempt")[0]


def log_line(world, pattern):
    (worker,) = world.workers
    return until(lambda: re.search(pattern, worker.log.read_text()), 5, f"{pattern} in the log")[0]


def test_a_good_one(world, authority):
    receiver = TlsReceiver(context(authority.issue("good")))
    assert attempt(world, receiver.url)[1].type == SUCCESS
    assert receiver.requests == 1


BAD = {
    "expired": ({"begins": -2 * DAY, "ends": -DAY}, "certificate has expired"),
    "not-yet-valid": ({"begins": DAY, "ends": 2 * DAY}, "certificate is not yet valid"),
    "self-signed": ({"itself": True}, "self-signed certificate"),
    "wrong-name": ({"names": ["example.com"]}, "subject name"),
    "wrong-address": ({"names": ["127.0.0.2"]}, "subject name"),
    "name-only-as-text": ({"names": []}, "subject name"),
}


def refused(world, receiver, words):
    webhook, event = attempt(world, receiver.url)
    assert (event.type, event.data["reason"], event.data["status"]) == (RETRY, "tls", None)
    assert receiver.requests == 0, "nothing was sent"
    line = log_line(world, f"level=warn.*{webhook['id']}.*")
    assert "reason=tls" in line and words in line


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one(world, authority, name):
    options, words = BAD[name]
    refused(world, TlsReceiver(context(authority.issue(name, **options))), words)


def test_one_of_another_authority(world, tmp_path):
    refused(world, TlsReceiver(context(Authority(tmp_path, "another").issue("strange"))), "unable to get local issuer certificate")


def test_an_old_version(world, authority):
    refused(world, TlsReceiver(context(authority.issue("old"), newest=ssl.TLSVersion.TLSv1_1)), "protocol version")


def test_no_tls_at_all(world):
    refused(world, TlsReceiver(), "wrong version number")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_the_next_connection_resumes_the_session(world, authority, report, newest):
    """Also when there were others in between, whichever of the engine's handles connects."""
    receivers = [TlsReceiver(context(authority.issue(f"host-{n}"), newest=newest)) for n in range(HOSTS)]
    tenants = [world.tenant() for _ in receivers]
    for tenant, receiver in zip(tenants, receivers):
        assert world.ask(tenant, commands.create(receiver.url)).status == 201
    for count in (1, 2, 3):
        for tenant, receiver in zip(tenants, receivers):
            world.issue(tenant)
            until(lambda receiver=receiver, count=count: receiver.requests >= count, what="the request")
    resumed = [receiver.resumed for receiver in receivers]
    report(f"{newest.name}: {sum(map(sum, resumed))} of {2 * HOSTS} later connections to {HOSTS} hosts resumed their session")
    assert all(each == [False, True, True] for each in resumed)


@pytest.mark.parametrize("content, word", [(None, "No such file"), ("", "no certificate"), ("nonsense", "no certificate")])
def test_a_file_without_authorities_is_told_at_the_start(fresh_world, tmp_path, content, word):
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    worker = fresh_world.worker(ready=False, endpoint_ca_file=file)
    worker.expect_error("no certificates of authorities|cannot start the delivery engine")
    assert worker.wait_end() == 1
    assert re.search(f"endpoint.ca.file.*{file}", worker.log.read_text())
