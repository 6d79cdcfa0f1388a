"""The alerts of compose/prometheus fire in a real Prometheus that scrapes a real pool, each for its
fault. Its minutes take two seconds (env/prometheus.py).
"""

import os
import re

import pytest
from env import commands
from env.kafka import SecuredBroker
from env.paths import REFUSING_PORT
from env.prometheus import Prometheus
from env.tls import Authority
from env.unprivileged import needs_root
from env.wait import until
from env.world import World
from test_data_folder import in_namespace, stopped
from test_process import TALKATIVE, Odd
from test_rights import start_worker


@pytest.fixture
def watch(tmp_path):
    """Has a Prometheus watch these programs."""
    watching = []

    def start(*programs):
        watching.append(Prometheus(tmp_path / f"prometheus-{len(watching)}", programs))
        return watching[-1].wait_up()

    yield start
    for prometheus in watching:
        prometheus.close()


@pytest.fixture
def locked(tmp_path, receivers, schemas):
    """A Kafka of its own without a right for anybody, and a world on it, made by somebody who may
    do everything.
    """
    broker = SecuredBroker(tmp_path, ["worker"])
    world = World(tmp_path, broker.bootstrap, receivers, schemas)
    try:
        yield broker, world.create_topics()
    finally:
        world.close()
        broker.stop()


def test_programs_that_die_and_come_back(fresh_world, watch):
    world = fresh_world
    programs = world.worker(), world.worker("worker-2"), world.gateway()
    prometheus = watch(*programs)
    until(lambda: prometheus.value("posthorn:partitions_active:sum") == world.partitions, what="all partitions to be seen")
    assert prometheus.firing() == set()
    for program in programs:
        program.kill()
    prometheus.wait_firing("PosthornWorkerDown", "PosthornGatewayDown", "PosthornPartitionsUnserved")
    for program in programs:
        program.start()
    prometheus.wait_quiet()


def test_endpoints_that_fail_and_recover(make_world, watch):
    """More is issued all the while, so that what is pending grows."""
    settings = {
        "delivery.breaker.failures": 1,
        "delivery.breaker.probe.interval": "10s",
        "delivery.retry.schedule": ",".join(20 * ["10s"]),
        "delivery.timeout": "2s",
    }
    with make_world(settings=settings) as world:
        prometheus = watch(world.worker())
        tenant, endpoints = world.tenant(), [world.receivers.endpoint().answers(500) for _ in range(10)]
        for endpoint in endpoints:
            world.webhook(tenant, endpoint)
        for _ in range(1050):
            world.writer.issuance(commands.issuance(tenant))
        more = lambda: world.results.end(world.issue(tenant))
        prometheus.wait_firing("PosthornMostEndpointsFail", step=more)
        prometheus.wait_firing("PosthornEndpointsFail", "PosthornPendingGrows", timeout=120, step=more)
        told = re.findall(r'message="endpoint fails: only probes go to it" tenant="(.*?)" webhook=(\S+)', world.workers[0].log.read_text())
        assert {who for who, _ in told} == {tenant} and len({webhook for _, webhook in told}) == 10
        for endpoint in endpoints:
            endpoint.answers(200)
        prometheus.wait_quiet(120)


def test_deliveries_and_records_that_are_given_up(make_world, watch):
    with make_world(settings={"delivery.retry.schedule": "100ms", "delivery.retry.jitter": 0}) as world:
        prometheus = watch(world.worker())
        tenant = world.tenant()
        world.webhook(tenant, world.receivers.endpoint().answers(500))
        world.issue(tenant)
        world.writer.raw("webhook-admin", tenant, b"no command")
        world.writer.flush()
        prometheus.wait_firing("PosthornDeliveriesDie", "PosthornDeadLetters")


def test_records_that_are_deleted_before_they_are_read(fresh_world, watch):
    """The counter may be 1 when Prometheus sees it first, as that of a worker that was away."""
    world = fresh_world
    worker, tenant = world.worker(), world.tenant()
    value = world.schemas.command.encode(commands.command(tenant, commands.retrieve_all()))
    world.writer.place("webhook-admin", tenant, value)
    worker.wait_metric(1, "posthorn_commands_total", topic="webhook-admin")
    worker.stop()
    partition, last = world.writer.place("webhook-admin", tenant, value)
    world.delete_records("webhook-admin", partition, last + 1)
    worker.expect_error("the records to be read next are not there")
    worker.start()
    until(lambda: worker.metric("posthorn_inputs_lost_total") == 1, what="the loss")
    watch(worker).wait_firing("PosthornInputLost")


def test_a_changelog_that_is_made_anew(fresh_world, watch):
    world = fresh_world
    worker = world.worker()
    prometheus = watch(worker)
    world.in_every_partition()
    worker.stop()
    world.make_changelog_anew()
    worker.expect_error("committed offset is not of this changelog: was webhook-state deleted")
    worker.start(ready=False)
    prometheus.wait_firing("PosthornPartitionTorn")


def test_results_that_may_not_be_written(locked, watch):
    """No transaction is committed, and commands wait."""
    broker, world = locked
    worker, tenant = start_worker(broker, world, ready=True), world.tenant()
    prometheus = watch(worker)
    broker.take("worker", ("TOPIC", world.prefix + "webhook-results", "WRITE"))
    for _ in range(1500):
        world.writer.issuance(commands.issuance(tenant))
    worker.wait_metric(1, "posthorn_kafka_refused", timeout=40, what="output")
    prometheus.wait_firing("PosthornLagGrows", timeout=120, step=lambda: world.issue(tenant))


def test_a_worker_that_reaches_no_broker(fresh_world, watch):
    worker = fresh_world.worker(ready=False, kafka_bootstrap_servers=f"127.0.0.1:{REFUSING_PORT}")
    worker.expect_error("")
    watch(worker).wait_firing("PosthornRepairsFail")


@needs_root
def test_a_disk_that_fills(fresh_world, watch):
    """Room for the replica is left."""
    worker = stopped(fresh_world)
    folder = worker.replica.parent
    in_namespace(fresh_world, worker, f"mount -t tmpfs -o size=128m,mode=700 none {folder}\nhead -c 118m /dev/zero >{folder}/ballast").wait_ready()
    watch(worker).wait_firing("PosthornDiskFills")


@needs_root
def test_a_disk_without_room(fresh_world, watch):
    worker = stopped(fresh_world)
    worker.expect_error("replica")
    in_namespace(fresh_world, worker, f"mount -t tmpfs -o size=16k,mode=700 none {worker.replica.parent}")
    watch(worker).wait_firing("PosthornRepairsFail")


def test_a_gateway_without_workers(fresh_world, watch):
    gateway = fresh_world.gateway(gateway_timeout="500ms")
    client = fresh_world.client(gateway, fresh_world.tenant())
    watch(gateway).wait_firing("PosthornGatewayTimesOut", step=lambda: client("GET", "/v1/webhooks"))


def test_answers_that_do_not_fit(fresh_world, watch):
    """Each command's transaction aborts, and the next one sets it aside."""
    world = fresh_world
    world.configure("webhook-results", "max.message.bytes", 100)
    worker, tenant = world.worker(), world.tenant()
    worker.expect_error("a record is too large for its topic")
    watch(worker).wait_firing("PosthornTransactionsFail", step=lambda: world.issue(tenant))


def test_topics_that_may_not_be_seen(locked, watch):
    broker, world = locked
    watch(start_worker(broker, world, [("TOPIC", "webhook-results", "WRITE")])).wait_firing("PosthornKafkaRefuses")


def test_a_log_that_nobody_reads(fresh_world, watch):
    reading, writing = os.pipe()
    with Odd(fresh_world, ["setpriv", "--pdeathsig", "KILL"], TALKATIVE, stderr=writing) as worker:
        worker.wait_ready()
        watch(worker).wait_firing("PosthornLogIncomplete", timeout=120)
        worker.kill()
    os.close(reading)
    os.close(writing)


def test_a_proxy_that_is_away(make_world, watch):
    settings = {"endpoint.proxy": f"http://127.0.0.1:{REFUSING_PORT}", "delivery.breaker.failures": 1}
    with make_world(settings=settings) as world:
        tenant = world.tenant()
        prometheus = watch(world.worker())
        world.webhook(tenant, world.receivers.endpoint())
        world.issue(tenant)
        prometheus.wait_firing("PosthornProxyFails")


def test_programs_with_other_types_of_events(fresh_world, watch):
    world = fresh_world
    worker = world.worker(event_types="order.paid")
    worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
    gateway = world.gateway(event_types="order.sent")
    gateway.expect_error("a worker has other event.types than this gateway")
    prometheus = watch(worker, gateway)
    world.webhook(world.tenant(), world.receivers.endpoint())
    prometheus.wait_firing("PosthornTypesDiffer")


def test_certificates_that_end_soon(make_world, watch, tmp_path):
    """A worker's for endpoints, and a gateway's; a day is left to each."""
    file = Authority(tmp_path, "ours").issue("short")
    file.chmod(0o600)
    with make_world() as world:
        worker = world.worker(endpoint_tls_certificate_file=file, endpoint_tls_key_file=file)
        gateway = world.gateway(gateway_tls_certificate_file=file, gateway_tls_key_file=file)
        prometheus = watch(worker, gateway)
        prometheus.wait_firing("PosthornCertificateEnds")
        until(lambda: prometheus.value('count(ALERTS{alertname="PosthornCertificateEnds",alertstate="firing"})') == 2, what="both")
