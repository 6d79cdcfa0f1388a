"""A Kafka with authentication and authorisation: the documented rights are enough, and the log
reports a missing one in one line: the operation, the resource, and the likely cause.
"""

import re
import time

import pytest
from env import commands
from env.kafka import Broker, SecuredBroker
from env.partitioner import partition_of
from env.paths import REFUSING_PORT, ROOT
from env.tls import Authority, TlsReceiver, context
from env.wait import until
from env.world import World

DOCUMENT = ROOT / "docs/kafka-security.md"
ROW = re.compile(r"\| `(worker|gateway|admin)` \| (\w+) \| (.+) \| (.+) \|")


def documented(user, world):
    """The rows of the document's table, as [(resource type, name, operation)]."""
    rights = []
    for principal, operation, kind, names in ROW.findall(DOCUMENT.read_text()):
        for name in re.findall(r"`([^`]+)`", names) if principal == user else []:
            resource = world.prefix + name if kind == "topic" else name.replace("GROUP", world.settings["group.id"])
            rights.append((kind.upper().replace(" ", "_"), resource, snake(operation)))
    assert rights, user
    return rights


def snake(operation):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).upper()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"), ["worker", "gateway", "admin"])
    yield broker
    broker.stop()


@pytest.fixture
def world(tmp_path, broker, receivers, schemas):
    """Made by the tests, who may do everything; programs of it are of users with no right yet."""
    world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
    yield world
    world.close()
    for user in ("worker", "gateway", "admin"):
        broker.forbid(user)


def as_user(broker, user):
    return {"kafka.bootstrap.servers": broker.secured} | broker.login(user)


def start_worker(broker, world, lacking=(), ready=False, **settings):
    """With the documented rights, less the lacking ones: (resource type, end of the name,
    operation).
    """
    rights = [
        right
        for right in documented("worker", world)
        if not any(right[0] == kind and right[1].endswith(end) and right[2] == operation for kind, end, operation in lacking)
    ]
    assert len(rights) == len(documented("worker", world)) - len(lacking)
    broker.allow("worker", *rights)
    return world.worker(ready=ready, **as_user(broker, "worker"), **settings)


def refusals(worker):
    return [line for line in worker.log.read_text().splitlines() if "Kafka refuses an operation" in line]


def wait_refused(worker, operation, resource, cause="no ACL allows it"):
    line = until(lambda: refusals(worker), 40, f"a refusal of {operation} on {resource}")[0]
    assert f'operation="{operation}"' in line and resource in line and cause in line and "level=error" in line, line
    return line


def test_the_documented_rights_are_enough(broker, world):
    """Of the worker, the gateway and the commands: a webhook made over HTTP, and its callback."""
    worker = start_worker(broker, world, ready=True)
    broker.allow("gateway", *documented("gateway", world))
    gateway = world.gateway(**as_user(broker, "gateway"))
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    answer = world.client(gateway, tenant)("POST", "/v1/webhooks", {"url": endpoint.url, "events": [commands.ISSUED]})
    assert answer.status == 201, answer
    world.issue(tenant)
    endpoint.wait(1)
    worker.stop()
    assert world.worker(**as_user(broker, "worker")).running, "it restores what it wrote"
    for log in (worker.log, gateway.log):
        assert not re.search("level=(warn|error)|authorization", log.read_text()), log.read_text()


def test_the_commands_have_enough(broker, world):
    start_worker(broker, world, ready=True)
    broker.allow("admin", *documented("admin", world))
    login = [part for key, value in as_user(broker, "admin").items() for part in ("--set", f"{key}={value}")]
    tenant = world.tenant()
    assert until(lambda: world.admin("topics", "check", *login).code == 0, 20, "the ACLs are known")
    for command in (
        ["topics", "create"],
        ["webhook", "list", "--tenant", tenant],
        ["jwks", "rotate", "--tenant", tenant],
        ["state", "dump"],
        ["dead-letters", "list"],
    ):
        answer = world.admin(*command, *login)
        assert answer.code == 0, (command, answer)


# The lacking right, whether the worker ends, and its message.
LACKING = {
    "a topic that it may not see": ([("TOPIC", "webhook-admin", "READ"), ("TOPIC", "webhook-admin", "WRITE")], True, "Describe", "webhook-admin"),
    "its group": ([("GROUP", "posthorn", "READ")], False, "Read", "group "),
    "its transactional id": ([("TRANSACTIONAL_ID", "posthorn-*", "WRITE")], True, "Write", "transactional id "),
}


@pytest.mark.parametrize("lacking, ends, operation, resource", LACKING.values(), ids=LACKING)
def test_a_right_that_lacks_is_named_once(broker, world, lacking, ends, operation, resource):
    worker = start_worker(broker, world, lacking)
    wait_refused(worker, operation, resource)
    if ends:
        assert worker.wait_end() == 3
    else:
        until(lambda: worker.get("/readyz").out.strip() == "failing", what="failing")
        time.sleep(3)
    assert len(refusals(worker)) == 1, worker.log.read_text()
    assert "topics create" not in worker.log.read_text()


def test_it_goes_on_once_the_right_is_granted(broker, world):
    worker = start_worker(broker, world, [("GROUP", "posthorn", "READ")])
    wait_refused(worker, "Read", "group ")
    broker.allow("worker", ("GROUP", world.settings["group.id"], "READ"))
    worker.wait_ready()


def test_a_topic_that_may_be_seen_and_not_read(broker, world):
    name = world.prefix + "webhook-admin"
    broker.allow("worker", ("TOPIC", name, "DESCRIBE"))
    worker = start_worker(broker, world, [("TOPIC", "webhook-admin", "READ")])
    wait_refused(worker, "Read", f"topic {name}")
    until(lambda: worker.get("/readyz").out.strip() == "failing", what="failing")


def test_a_topic_that_may_be_seen_and_not_written(broker, world):
    name = world.prefix + "webhook-results"
    broker.allow("worker", ("TOPIC", name, "DESCRIBE"))
    worker = start_worker(broker, world, [("TOPIC", "webhook-results", "WRITE")], ready=True)
    world.writer.ask(world.tenant(), commands.create("http://127.0.0.1:9/x"))
    world.writer.flush()
    wait_refused(worker, "Write", f"topic {name}")
    until(lambda: worker.get("/readyz").out.strip() == "failing", 60, what="failing")
    assert len(refusals(worker)) == 1
    failed = re.findall(r"transaction call failed\" (call=\S+) .*(code=\S+ then=\S+)", worker.log.read_text())
    assert failed and len(failed) == len(set(failed)), "each cause once"


def test_an_input_that_may_not_be_written(broker, world):
    """Records in another partition than their key's are dead letters then. It is found out once,
    and not by each of them.
    """
    name = world.prefix + "webhook-admin"
    worker = start_worker(broker, world, [("TOPIC", "webhook-admin", "WRITE")], ready=True)
    tenant = world.tenant()
    wrong = (partition_of(tenant.encode(), world.partitions) + 1) % world.partitions
    value = world.schemas.command.encode(commands.command(tenant, commands.create("http://127.0.0.1:9/x")))
    for _ in range(5):
        partition, offset = world.writer.place("webhook-admin", tenant, value, partition=wrong)
        assert "murmur2_random" in world.dead_letters.of(name, offset, partition).reason
    wait_refused(worker, "Write", f"topic {name}")
    assert len(refusals(worker)) == 1
    undone = sum(worker.metric("posthorn_transactions_total", outcome=outcome) for outcome in ("aborted", "unknown"))
    assert undone == 1 and worker.get("/readyz").out.strip() == "ok"


def test_a_login_that_the_brokers_refuse(broker, world):
    """It may be theirs that is wrong, so that it is tried again; until then it is failing, and the
    log says why.
    """
    login = as_user(broker, "worker") | {"kafka.sasl.password": "not this one"}
    worker = world.worker(ready=False, **login)
    wait_refused(worker, "Connect", f"brokers {broker.secured}", "the brokers refuse the login")
    until(lambda: worker.get("/readyz").out.strip() == "failing", what="failing")
    time.sleep(3)
    log = worker.log.read_text()
    assert len(refusals(worker)) == 1 and "kafka.sasl.username or its password" in log and "not this one" not in log, log
    assert worker.running


def is_failing(program):
    return until(lambda: program.get("/readyz").out.strip() == "failing", 60, what="failing")


def test_they_go_on_once_the_login_is_taken(tmp_path, receivers, schemas):
    """The brokers learn the passwords, forget them while the programs run, and learn them again:
    nothing is started again.
    """
    broker = SecuredBroker(tmp_path, ["worker", "gateway"])
    try:
        world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
        for user in broker.users:
            broker.allow(user, *documented(user, world))
        broker.restart(password="another")
        worker = world.worker(ready=False, **as_user(broker, "worker"))
        is_failing(worker)
        assert worker.metric("posthorn_kafka_refused", what="login") == 1 == worker.metric("posthorn_kafka_refused")
        assert "no broker answers" not in worker.log.read_text()
        broker.restart()
        worker.wait_ready()
        assert worker.metric("posthorn_kafka_refused") == 0 == worker.metric("posthorn_repairs_in_a_row")
        gateway = world.gateway(**as_user(broker, "gateway"))
        broker.restart(password="another")
        for program in (worker, gateway):
            is_failing(program)
            assert 'operation="Connect"' in refusals(program)[0] and "the brokers refuse the login" in refusals(program)[0], refusals(program)
        broker.restart()
        for program in (worker, gateway):
            program.wait_ready()
            assert len(refusals(program)) == 1, program.log.read_text()
        world.close()
    finally:
        broker.stop()


def test_a_broker_with_a_certificate_of_another_authority(world, tmp_path):
    stranger = TlsReceiver(context(Authority(tmp_path, "another").issue("broker")))
    tls = {"kafka.security.protocol": "SSL", "kafka.ssl.ca.location": Authority(tmp_path, "ours").file, "kafka.bootstrap.servers": f"127.0.0.1:{stranger.port}"}
    worker = world.worker(ready=False, **tls)
    wait_refused(worker, "Connect", f"brokers 127.0.0.1:{stranger.port}", "the TLS handshake fails")
    is_failing(worker)
    assert len(refusals(worker)) == 1 and "no broker answers" not in worker.log.read_text()
    worker.stop()
    stranger.close()


def test_no_broker_answers(world):
    worker = world.worker(ready=False, **{"kafka.bootstrap.servers": f"127.0.0.1:{REFUSING_PORT}"})
    assert until(lambda: worker.get("/readyz").out.strip(), what="an answer") == "starting"
    is_failing(worker)
    assert worker.metric("posthorn_repairs_in_a_row") >= 3 and worker.metric("posthorn_kafka_refused") == 0
    assert worker.log.read_text().count("no broker answers: they are down, kafka.bootstrap.servers or") == 1, worker.log.read_text()
    worker.stop()


def test_a_session_timeout_that_the_brokers_do_not_take(broker, world):
    worker = start_worker(broker, world, kafka_session_timeout_ms=3000)
    assert worker.wait_end() == 3
    assert len(refusals(worker)) == 1 and "group.min.session.timeout.ms" in refusals(worker)[0], worker.log.read_text()


def test_topics_check_tells_what_may_not_be_seen(broker, world):
    login = [part for key, value in as_user(broker, "admin").items() for part in ("--set", f"{key}={value}")]
    answer = world.admin("topics", "check", *login)
    assert answer.code == 1 and "may not be described" in answer.out + answer.err and "does not exist" not in answer.out + answer.err, answer


def test_no_transaction_coordinator(tmp_path, receivers, schemas):
    """Transactions that a cluster of one broker cannot have: the log says so, and it is failing."""
    broker = Broker(tmp_path, {"transaction.state.log.replication.factor": 3})
    try:
        world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
        worker = world.worker(ready=False)
        until(lambda: worker.get("/readyz").out.strip() == "failing", what="failing")
        log = worker.log.read_text()
        assert log.count("transaction.state.log.replication.factor (3 by default) is more than the 1 brokers") == 1, log
        assert f"transactional id {world.settings['group.id']}-worker-1" in log and "level=error" not in log, log
        world.close()
    finally:
        broker.stop()
