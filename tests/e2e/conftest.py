import os
import re
from contextlib import contextmanager

import pytest
from env import kafka
from env import report as reports
from env.avro import Schemas
from env.kafka import Broker, Logins
from env.paths import INSIDE, free_port
from env.programs import write_properties
from env.receiver import Receivers
from env.world import World

LOG_TAIL = 60
collect_ignore = [] if INSIDE in os.environ else ["inside"]
worlds = []


# Set where the whole session runs on a locked Kafka, as users with no more rights than they need.
LOCKED = "POSTHORN_TEST_LOCKED"
# What posthorn is for: these files' tests are marked, and run there too; but for one that writes to
# the broker with a program of tests/bench, which does not log in, and one that makes topics of
# other names than the granted ones.
MAIN_JOB = {
    "test_admin",
    "test_dead_letters",
    "test_deliveries",
    "test_fencing",
    "test_gateway",
    "test_keys",
    "test_recovery",
    "test_repeats",
    "test_replay",
    "test_results_tail",
    "test_retries",
    "test_scaling",
}
NOT_LOCKED = {"test_a_restore_that_dies_halfway_is_begun_again", "test_topics_can_be_read_as_soon_as_they_are_made"}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem in MAIN_JOB and item.name not in NOT_LOCKED:
            item.add_marker("main_job")


@pytest.fixture(scope="session")
def schemas():
    return Schemas()


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory):
    """A real Kafka: the one named in POSTHORN_TEST_BOOTSTRAP, or one of our own for this run."""
    named = os.environ.get("POSTHORN_TEST_BOOTSTRAP")
    if named:
        yield named
        return
    locked = LOCKED in os.environ
    broker = Broker(tmp_path_factory.mktemp("kafka"), arguments=("--port", "0", *(["--secure"] if locked else [])))
    if locked:
        kafka.session.locked = Logins(broker.directory, broker.bootstrap)
    yield broker.bootstrap
    broker.stop()


@pytest.fixture(scope="session")
def receivers(tmp_path_factory):
    receivers = Receivers(tmp_path_factory.mktemp("receiver"))
    yield receivers
    receivers.close()


@pytest.fixture(scope="session")
def make_world(tmp_path_factory, bootstrap, receivers, schemas):
    @contextmanager
    def make(**options):
        world = World(tmp_path_factory.mktemp("world"), bootstrap, receivers, schemas, **options)
        worlds.append(world)
        try:
            yield world.create_topics()
            world.check()
        finally:
            world.close()
            worlds.remove(world)

    return make


@pytest.fixture(scope="module")
def world(make_world):
    """One world and one warm worker for a module's tests; each of them takes tenants of its own."""
    with make_world() as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def gateway(world):
    """A gateway before the module's world."""
    return world.gateway()


@pytest.fixture
def client(world, gateway, tenant):
    """Who speaks HTTP to it, with a token of the module's `tenant`."""
    return world.client(gateway, tenant)


@pytest.fixture
def fresh_world(make_world):
    """A world for one test, without a worker."""
    with make_world() as world:
        yield world


@pytest.fixture
def config(tmp_path, fresh_world):
    """Writes a worker's configuration, with changes; returns its path."""

    def write(**changes):
        own = {"worker.data.dir": tmp_path / "data", "worker.http.listen": f"127.0.0.1:{free_port()}"}
        settings = fresh_world.settings | own | changes
        return write_properties(tmp_path / "worker.properties", {k: v for k, v in settings.items() if v is not None})

    return write


@pytest.fixture
def report(request):
    return reports.Report(request.node.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the ends of the logs of every world that is alive."""
    outcome = yield
    if outcome.failed:
        for world in worlds:
            for worker in world.workers:
                tail = worker.log.read_text(errors="replace").splitlines()[-LOG_TAIL:]
                outcome.sections.append((f"log of {worker.id}", "\n".join(tail)))
        outcome.sections.extend(_kafka_log(item))
    return outcome


def _kafka_log(item):
    base = item.config._tmp_path_factory.getbasetemp()
    for log in base.glob("kafka*/log/*.log"):
        bad = [line for line in log.read_text(errors="replace").splitlines() if re.search(r"\b(WARN|ERROR|FATAL)\b", line)]
        yield (f"Kafka, {log.name}", "\n".join(bad[-LOG_TAIL:]))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """One of several processes ended: its numbers are reported with those of the others."""
    reports.LINES.extend(getattr(node, "workeroutput", {}).get("numbers", []))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["numbers"] = reports.LINES


def pytest_terminal_summary(terminalreporter):
    if reports.LINES:
        terminalreporter.section("numbers")
        for test, line in reports.LINES:
            terminalreporter.write_line(f"{test}: {line}")
