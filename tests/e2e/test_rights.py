"""A Kafka with authentication and authorisation: the documented rights are enough, and the log
reports a missing one in one line: the operation, the resource, and the likely cause.
"""

import json
import re
import shlex
import time

import pytest
from confluent_kafka.admin import AdminClient
from env import commands
from env.kafka import Broker, SecuredBroker
from env.partitioner import partition_of
from env.paths import REFUSING_PORT, ROOT, free_ports
from env.tls import DAY, Authority, TlsReceiver, context
from env.wait import until
from env.world import World

OWN = "DegreeRevoked"
USERS = ("worker", "gateway", "operator", "producer")
TOPICS = ("webhook-admin", "credential-issuance", "webhook-events", "webhook-results", "webhook-state", "webhook-dead-letters")
SILENCE = "no broker answers: they are down, kafka.bootstrap.servers or kafka.security.protocol is not theirs"
DOCUMENT = ROOT / "docs/kafka-security.md"
ROW = re.compile(r"\| `(worker|gateway|operator|producer)` \| (\w+) \| (.+) \| (.+) \|")


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
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"), USERS)
    yield broker
    broker.stop()


@pytest.fixture
def world(tmp_path, broker, receivers, schemas):
    """Made by the tests, who may do everything; programs of it are of users with no right yet."""
    world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
    yield world
    world.close()
    for user in USERS:
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


def printed(world, *arguments):
    """{(principal, resource type, name, operation)} of acls print --json."""
    rows = world.admin.json("acls", "print", *arguments)["acls"]
    named = lambda row: row["name"] + ("*" if row["pattern"] == "prefixed" else "")
    return {(row["principal"].removeprefix("User:"), row["resource"].upper().replace(" ", "_"), named(row), snake(row["operation"])) for row in rows}


def test_the_document_has_the_programs_table(world):
    for user in USERS:
        assert printed(world, f"--{user}", user) == {(user, *right) for right in documented(user, world)}
    together = [part for user in USERS for part in (f"--{user}", user)]
    assert printed(world, *together) == {(user, *right) for user in USERS for right in documented(user, world)}


def create_acls(broker, world, *users):
    """An older librdkafka leaves out transactional ids, and names the line that does it."""
    answer = world.admin("acls", "create", *users)
    if "cannot create ACLs of transactional ids" in answer.err:
        assert answer.code == 1 and answer.err.count("\n") == 1 and f"acls print --script for {world.settings['group.id']}-*" in answer.err, answer
        broker.allow("worker", ("TRANSACTIONAL_ID", f"{world.settings['group.id']}-*", "WRITE"))
    else:
        assert answer.code == 0, answer


def test_acls_are_created_and_checked(broker, world):
    together = [part for user in USERS for part in (f"--{user}", user)]
    before = world.admin("acls", "check", *together, "--json")
    assert before.code == 1 and {row["state"] for row in json.loads(before.out)["acls"]} == {"missing"}, before
    create_acls(broker, world, *together)
    assert world.admin("acls", "check", *together).code == 0
    for user in USERS:
        assert broker.rights(user) == set(documented(user, world))
    broker.deny("gateway", ("TOPIC", world.prefix + "webhook-admin", "WRITE"))
    after = world.admin("acls", "check", *together, "--json")
    wrong = [row for row in json.loads(after.out)["acls"] if row["state"] != "granted"]
    assert after.code == 1 and [(row["principal"], row["operation"], row["state"]) for row in wrong] == [("User:gateway", "Write", "denied")], wrong


def test_acls_as_lines_of_kafkas_own_tool(world):
    lines = world.admin.ok("acls", "print", "--worker", "User:CN=o'brien", "--script").splitlines()
    rights = {tuple(shlex.split(line)[3:]) for line in lines}
    own = ("--add", "--allow-principal", "User:CN=o'brien", "--operation")
    assert (*own, "Read", "--topic", world.prefix + "webhook-state") in rights
    assert (*own, "Write", "--transactional-id", world.settings["group.id"] + "-", "--resource-pattern-type", "prefixed") in rights
    assert len(rights) == len(documented("worker", world))


def test_acls_of_nobody_are_wrong_usage(world):
    assert world.admin("acls", "print").code == 2
    assert world.admin("acls", "print", "--worker", "").code == 2


def test_acls_may_not_be_seen(broker, world):
    login = [part for key, value in as_user(broker, "operator").items() for part in ("--set", f"{key}={value}")]
    answer = world.admin("acls", "check", "--worker", "worker", *login)
    told = {1: "this principal may not Describe the cluster", 2: "Cluster authorization failed"}
    assert told[answer.code] in answer.err, answer


def test_the_commands_have_enough(broker, world, tmp_path):
    start_worker(broker, world, ready=True)
    broker.allow("operator", *documented("operator", world))
    login = [part for key, value in as_user(broker, "operator").items() for part in ("--set", f"{key}={value}")]
    tenant = world.tenant()
    assert until(lambda: world.admin("topics", "check", *login).code == 0, 20, "the ACLs are known")
    for command in (
        ["topics", "create"],
        ["webhook", "list", "--tenant", tenant],
        ["jwks", "rotate", "--tenant", tenant],
        ["state", "dump"],
        ["dead-letters", "list"],
        ["state", "export", tmp_path / "state.jsonl"],
    ):
        answer = world.admin(*command, *login)
        assert answer.code == 0 and "not known" not in answer.err, (command, answer)


# What an import of state needs beside the topics, and what is refused without it.
IMPORT_RIGHTS = {
    ("GROUP", "posthorn", "READ"): "Describe on group {}",
    ("TRANSACTIONAL_ID", "posthorn-*", "WRITE"): "Write on transactional id {}-state-import",
}


@pytest.mark.parametrize("right, refused", IMPORT_RIGHTS.items(), ids=["group", "transactional id"])
def test_a_workers_rights_are_enough_to_import_state(broker, world, tmp_path, right, refused):
    """Who may not describe the group is not told that it has no member."""
    file, lacking = tmp_path / "state.jsonl", full(world, "worker", right)
    world.admin.ok("state", "export", file)
    broker.allow("worker", *(each for each in documented("worker", world) if each != lacking))
    login = [part for key, value in as_user(broker, "worker").items() for part in ("--set", f"{key}={value}")]
    told = f"Kafka refuses {refused.format(world.settings['group.id'])} to User:worker"
    until(lambda: told in world.admin("state", "import", file, *login).err, 20, "the other ACLs are known")
    broker.allow("worker", lacking)
    until(lambda: world.admin("state", "import", file, *login).code == 0, 20, "the grant")
    assert world.worker().running


# Each right of a worker: how its lack is told of at the start and while the worker runs, as an
# operation and a resource. None: nothing is refused before it is needed.
WORKER_RIGHTS = {
    ("TOPIC", "webhook-admin", "READ"): (("Read", "topic "), ("Read", "topic ")),
    ("TOPIC", "credential-issuance", "READ"): (("Read", "topic "), ("Read", "topic ")),
    ("TOPIC", "webhook-events", "READ"): (("Read", "topic "), ("Read", "topic ")),
    ("TOPIC", "webhook-admin", "WRITE"): (None, None),
    ("TOPIC", "credential-issuance", "WRITE"): (None, None),
    ("TOPIC", "webhook-events", "WRITE"): (None, None),
    ("TOPIC", "webhook-state", "READ"): (("Read", "topic "), None),
    ("TOPIC", "webhook-state", "WRITE"): (("Write", "topic "), ("Write", "topic ")),
    ("TOPIC", "webhook-results", "WRITE"): (("Describe", "topic "), ("Write", "topic ")),
    ("TOPIC", "webhook-dead-letters", "WRITE"): (("Describe", "topic "), ("Write", "topic ")),
    ("GROUP", "posthorn", "READ"): (("Read", "group "), ("Read", "group ")),
    ("TRANSACTIONAL_ID", "posthorn-*", "WRITE"): (("Write", "transactional id "), ("Write", "transactional id ")),
}
GATEWAY_RIGHTS = {
    ("TOPIC", "webhook-admin", "WRITE"): (("Write", "topic "), ("Write", "topic ")),
    ("TOPIC", "webhook-events", "WRITE"): (("Write", "topic "), ("Write", "topic ")),
    ("TOPIC", "webhook-results", "READ"): (("Read", "topic "), ("Read", "topic ")),
    ("TOPIC", "webhook-state", "READ"): (("Read", "topic "), ("Read", "topic ")),
    ("GROUP", "posthorn", "DESCRIBE"): (("Describe", "group "), None),
}


ISSUE = "credential issue --tenant acme --credential-id c --credential-configuration-id d --credential-profile p --format f".split()
PUBLISH = f"event publish --tenant acme --type {OWN} --payload 1".split()
# Each of an operator's: a command that needs it, and what is refused to that, if not the right.
OPERATOR_RIGHTS = {
    **{("TOPIC", topic, "CREATE"): (["topics", "create"], "Create on topic ") for topic in TOPICS},
    **{("TOPIC", topic, "DESCRIBE_CONFIGS"): (["topics", "check"], "DescribeConfigs on topic ") for topic in TOPICS},
    ("CLUSTER", "kafka-cluster", "DESCRIBE_CONFIGS"): (["topics", "create"], "DescribeConfigs on cluster "),
    ("TOPIC", "webhook-admin", "WRITE"): (["webhook", "list", "--tenant", "acme"], "Write on topic "),
    ("TOPIC", "credential-issuance", "WRITE"): (ISSUE, "Write on topic "),
    ("TOPIC", "webhook-events", "WRITE"): (PUBLISH, "Write on topic "),
    ("TOPIC", "webhook-results", "READ"): (["results", "tail", "--tenant", "acme"], "Read on topic "),
    ("TOPIC", "webhook-state", "READ"): (["state", "dump"], "Read on topic "),
    ("TOPIC", "webhook-dead-letters", "READ"): (["dead-letters", "list"], "Read on topic "),
    ("GROUP", "posthorn", "DESCRIBE"): (["state", "dump"], "Describe on group "),
}


def name_of(value):
    return "-".join(value) if isinstance(value, tuple) and isinstance(value[0], str) else ""


def test_the_tables_have_each_right(world):
    for user, table in (("worker", WORKER_RIGHTS), ("gateway", GATEWAY_RIGHTS), ("operator", OPERATOR_RIGHTS)):
        ends = {(kind, name.removeprefix(world.prefix), operation) for kind, name, operation in documented(user, world)}
        assert ends == set(table), user


def full(world, user, right):
    """The documented right whose name ends so."""
    (found,) = [each for each in documented(user, world) if (each[0], each[1].removeprefix(world.prefix), each[2]) == right]
    return found


def said_once(program, user, words, report):
    """The one line about a refusal, and what /readyz says meanwhile."""
    operation, resource = words
    line = wait_refused(program, operation, resource)
    until(lambda: program.get("/readyz").out.strip() == "failing", 20, what="failing")
    time.sleep(2)
    assert program.running and len(refusals(program)) == 1, program.log.read_text()
    assert f'principal="User:{user}"' in line and "topics create" not in program.log.read_text(), line
    report(f"{' '.join(re.findall('(?:operation|resource|principal)=(?:.[^ ]*.|.*?. )', line))} readyz=failing")


def said_as_told(program, user, right, words, report):
    """The same; where no words are told, the program goes on without the right."""
    if words:
        said_once(program, user, words, report)
    else:
        program.wait_ready()
        assert not refusals(program), program.log.read_text()
        report(f"{right}: nothing is refused, readyz=ok")


def work(world, tenant):
    """Commands of each input, and a record for the dead letters."""
    created = world.writer.ask(tenant, commands.create("http://127.0.0.1:9/x"))
    issued = world.issue(tenant)
    published = world.publish(tenant, OWN)
    spoilt = world.writer.place("credential-issuance", tenant, b"nothing")
    world.writer.flush()
    return created, issued, published, spoilt


def expect_done(world, done):
    created, issued, published, (partition, offset) = done
    assert world.results.end(created, timeout=60).status == 201
    assert world.results.end(issued, timeout=60).status == 200
    assert world.results.end(published, timeout=60).status == 400, "no worker here has event.types"
    world.dead_letters.of(world.prefix + "credential-issuance", offset, partition)


@pytest.mark.parametrize("right, words", WORKER_RIGHTS.items(), ids=name_of)
def test_a_worker_that_lacks_a_right_at_the_start(broker, world, report, right, words):
    lacking = full(world, "worker", right)
    tenant = world.tenant()
    worker = start_worker(broker, world, ready=True)
    expect_done(world, work(world, tenant))
    worker.stop()
    worker.forget()
    broker.take("worker", lacking)
    done = work(world, tenant)
    worker.start(ready=False)
    said_as_told(worker, "worker", right, words[0], report)
    broker.allow("worker", lacking)
    worker.wait_ready()
    expect_done(world, done)
    assert worker.metric("posthorn_kafka_refused") == 0


@pytest.mark.parametrize("right, words", WORKER_RIGHTS.items(), ids=name_of)
def test_a_worker_whose_right_is_taken_away(broker, world, report, right, words):
    lacking, tenant = full(world, "worker", right), world.tenant()
    worker = start_worker(broker, world, ready=True)
    expect_done(world, work(world, tenant))
    broker.take("worker", lacking)
    done = work(world, tenant)
    said_as_told(worker, "worker", right, words[1], report)
    broker.allow("worker", lacking)
    worker.wait_ready()
    expect_done(world, done)
    assert worker.metric("posthorn_kafka_refused") == 0


@pytest.mark.parametrize("right, words", GATEWAY_RIGHTS.items(), ids=name_of)
def test_a_gateway_that_lacks_a_right_at_the_start(broker, world, report, right, words):
    start_worker(broker, world, ready=True)
    lacking = full(world, "gateway", right)
    broker.allow("gateway", *(each for each in documented("gateway", world) if each != lacking))
    gateway = world.gateway(ready=False, **as_user(broker, "gateway"))
    said_once(gateway, "gateway", words[0], report)
    broker.allow("gateway", lacking)
    gateway.wait_ready()
    client = world.client(gateway, world.tenant())
    assert until(lambda: client("GET", "/v1/webhooks").status == 200, 20, "an answer")


@pytest.mark.parametrize("right, words", GATEWAY_RIGHTS.items(), ids=name_of)
def test_a_gateway_whose_right_is_taken_away(broker, world, report, right, words):
    start_worker(broker, world, ready=True)
    lacking = full(world, "gateway", right)
    broker.allow("gateway", *documented("gateway", world))
    gateway = world.gateway(gateway_timeout="2s", event_types=OWN, **as_user(broker, "gateway"))
    client = world.client(gateway, world.tenant())
    assert client("GET", "/v1/webhooks").status == 200
    broker.take("gateway", lacking)
    client("GET", "/v1/webhooks")
    client("POST", "/v1/events", {"type": OWN, "payload": {}})
    said_as_told(gateway, "gateway", right, words[1], report)
    broker.allow("gateway", lacking)
    gateway.wait_ready()
    assert until(lambda: client("GET", "/v1/webhooks").status == 200, 20, "an answer")


LARGE, LARGE_BYTES = 72, 240_000  # more than a turn's 16 MiB


def outcome(world, command, nth):
    """Of the command, which is sent for the nth time."""
    world.writer.command(command)
    world.writer.flush()
    return world.results.of(command["commandId"], ends=nth, timeout=60)[-1]


def test_a_recovery_of_several_turns_needs_a_right(broker, world):
    """Without it nothing is done, and the refusal names it; with it the same command does all."""
    right = ("TOPIC", "webhook-admin", "WRITE")
    settings = {"delivery_retry_schedule": "10ms", "delivery_breaker_failures": 1_000_000, "input_reroute": "false"}
    worker = start_worker(broker, world, [right], ready=True, **settings)
    tenant, endpoint = world.tenant(), world.receivers.endpoint().answers(500)
    webhook = world.webhook(tenant, endpoint)["id"]
    for _ in range(LARGE):
        world.issue(tenant, credential="x" * LARGE_BYTES)
    world.writer.flush()
    died = lambda: [types for types in world.results.deliveries(tenant).values() if types[-1] == "WEBHOOK_EVENT_PROCESS_FAIL"]
    world.results.wait(lambda: len(died()) == LARGE, 90, "all to die")
    recover = commands.command(tenant, commands.recover(webhook))
    refused = outcome(world, recover, 1)
    detail = refused.data["details"][0]
    assert (refused.status, detail["param"], detail["location"], detail["value"]) == (503, "Write", "rights", world.prefix + "webhook-admin")
    assert len(died()) == LARGE and len(endpoint.requests) == 2 * LARGE
    worker.stop()
    broker.allow("worker", full(world, "worker", right))
    worker.start()
    done = outcome(world, recover, 2)
    assert (done.status, done.data) == (200, {"deliveries": LARGE})
    endpoint.wait(3 * LARGE, timeout=60)


def delete(world, topic):
    client, name = AdminClient({"bootstrap.servers": world.bootstrap}), world.prefix + topic
    client.delete_topics([name])[name].result(20)
    until(lambda: name not in client.list_topics(timeout=10).topics, what="the topic is gone")


@pytest.mark.parametrize("creates", [True, False], ids=["to create topics", "another"])
def test_an_operator_that_lacks_a_right(broker, world, report, creates):
    """A command that needs it says so; after the grant it is done. No worker misses its topics."""
    if not creates:
        start_worker(broker, world, ready=True, event_types=OWN)
    broker.allow("operator", *documented("operator", world))
    login = [part for key, value in as_user(broker, "operator").items() for part in ("--set", f"{key}={value}")]
    until(lambda: world.admin("topics", "check", *login).code == 0, 20, "the ACLs are known")
    for right, (command, words) in OPERATOR_RIGHTS.items():
        if (command == ["topics", "create"]) != creates:
            continue
        lacking = full(world, "operator", right)
        if creates:
            delete(world, right[1] if right[0] == "TOPIC" else "webhook-dead-letters")
        broker.take("operator", lacking)
        answer = world.admin(*command, *login)
        told = answer.out + answer.err
        assert answer.code in (1, 2) and told.count(f"Kafka refuses {words}{lacking[1]} to User:operator: ") == 1, (right, answer)
        assert "no ACL allows it" in told and "topics create creates" not in told, (right, answer)
        report(f"{' '.join(command[:2])}: Kafka refuses {words}{right[1]} to User:operator")
        broker.allow("operator", lacking)
        assert until(lambda command=command: world.admin(*command, *login).code == 0, 20, f"{command} after the grant")


def test_a_topic_that_may_not_be_described_is_hidden(broker, world):
    """It may be there, so that it is not created. Nothing is waited for."""
    rights = [right for right in documented("operator", world) if right[1] != world.prefix + "webhook-state"]
    broker.allow("operator", *rights, ("TOPIC", world.prefix + "webhook-state", "CREATE"))
    login = [part for key, value in as_user(broker, "operator").items() for part in ("--set", f"{key}={value}")]
    until(lambda: "hidden" in world.admin("topics", "check", *login).out, 20, "the ACLs are known")
    for command, code in (("check", 1), ("create", 2)):
        answer = world.admin("topics", command, *login)
        assert answer.code == code and f"Describe on topic {world.prefix}webhook-state to User:operator" in answer.out + answer.err, answer
        assert answer.out.count("hidden") == (command == "check") and "missing" not in answer.out, answer


def test_dead_letters_that_may_not_be_written_stop_one_partition(broker, world):
    """It is told at the start; a record that is to be one waits, and keeps no other partition
    waiting; after the grant all is done.
    """
    name = world.prefix + "webhook-dead-letters"
    broker.allow("worker", ("TOPIC", name, "DESCRIBE"))
    worker = start_worker(broker, world, [("TOPIC", "webhook-dead-letters", "WRITE")])
    wait_refused(worker, "Write", f"topic {name}")
    until(lambda: worker.get("/readyz").out.strip() == "failing", what="failing")
    assert worker.metric("posthorn_kafka_refused", what="dead_letters") == 1
    tenants, _ = world.in_every_partition()
    spoilt = world.writer.place("webhook-admin", tenants[0], b"nothing")
    asked = {partition: world.writer.ask(tenant, commands.retrieve_all()) for partition, tenant in tenants.items()}
    world.writer.flush()
    for partition, command in asked.items():
        if partition != spoilt[0]:
            assert world.results.end(command, timeout=60).status == 200
    again = [world.writer.ask(tenants[partition], commands.retrieve_all()) for partition in tenants if partition != spoilt[0]]
    world.writer.flush()
    assert {world.results.end(command, timeout=30).status for command in again} == {200}
    assert len(refusals(worker)) == 1 and not world.results.by_command[asked[spoilt[0]]]
    broker.allow("worker", ("TOPIC", name, "WRITE"))
    worker.wait_ready()
    world.dead_letters.of(world.prefix + "webhook-admin", spoilt[1], spoilt[0])
    assert world.results.end(asked[spoilt[0]]).status == 200


def test_a_topic_that_may_be_seen_and_not_read(broker, world):
    name = world.prefix + "webhook-admin"
    broker.allow("worker", ("TOPIC", name, "DESCRIBE"))
    worker = start_worker(broker, world, [("TOPIC", "webhook-admin", "READ")])
    wait_refused(worker, "Read", f"topic {name}")
    is_failing(worker)
    broker.allow("worker", ("TOPIC", name, "READ"))
    worker.wait_ready()


def test_a_gateway_that_may_see_its_topics_and_not_write_them(broker, world):
    """It is told at the start, before a request needs it."""
    names = [world.prefix + name for name in ("webhook-admin", "webhook-events")]
    broker.allow("gateway", *(("TOPIC", name, "DESCRIBE") for name in names), *(each for each in documented("gateway", world) if each[2] != "WRITE"))
    gateway = world.gateway(ready=False, **as_user(broker, "gateway"))
    wait_refused(gateway, "Write", f"topic {world.prefix}webhook-")
    is_failing(gateway)
    broker.allow("gateway", *(("TOPIC", name, "WRITE") for name in names))
    gateway.wait_ready()


REQUESTS = {"webhook-admin": ("GET", "/v1/webhooks"), "webhook-events": ("POST", "/v1/events", {"type": OWN, "payload": {}})}


@pytest.mark.parametrize("topic", REQUESTS)
def test_a_gateway_that_may_see_both_topics_and_write_one(broker, world, topic):
    """Kafka gives a producer its id where it may write any topic: the first request is told."""
    start_worker(broker, world, ready=True)
    name = world.prefix + topic
    broker.allow("gateway", ("TOPIC", name, "DESCRIBE"), *(each for each in documented("gateway", world) if each[1:] != (name, "WRITE")))
    gateway = world.gateway(event_types=OWN, gateway_timeout="2s", **as_user(broker, "gateway"))
    client = world.client(gateway, world.tenant())
    client(*REQUESTS[topic])
    wait_refused(gateway, "Write", f"topic {name}")
    is_failing(gateway)
    other = client(*next(request for of, request in REQUESTS.items() if of != topic))
    assert other.status in (200, 400), "the other topic is written, and its worker answers"
    broker.allow("gateway", ("TOPIC", name, "WRITE"))
    gateway.wait_ready()
    assert until(lambda: client(*REQUESTS[topic]).status in (200, 400), 20, "an answer")


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
            wait_refused(program, "Connect", f"brokers {broker.secured}", "the brokers refuse the login")
        broker.restart()
        for program in (worker, gateway):
            program.wait_ready()
            assert len(refusals(program)) == 1, program.log.read_text()
        world.close()
    finally:
        broker.stop()


# What a broker is, made with the authority that the worker trusts and another one; and the words.
HANDSHAKES = {
    "untrusted": (lambda ours, another: context(another.issue("broker")), "is not trusted"),
    "signed by itself": (lambda ours, another: context(ours.issue("broker", itself=True)), "is not trusted"),
    "expired": (lambda ours, another: context(ours.issue("broker", begins=-2 * DAY, ends=-DAY)), "has expired"),
    "not valid yet": (lambda ours, another: context(ours.issue("broker", begins=DAY, ends=2 * DAY)), "is not valid yet"),
    "of another name": (lambda ours, another: context(ours.issue("broker", names=["example.com"])), "has another name"),
    "plain text": (lambda ours, another: None, "the brokers speak plain text on this port"),
}


@pytest.mark.parametrize("make, words", HANDSHAKES.values(), ids=HANDSHAKES)
@pytest.mark.parametrize("program", ["worker", "gateway"])
def test_a_handshake_that_fails_is_told_of_by_its_fault(world, tmp_path, make, words, program):
    (tmp_path / "another").mkdir()
    ours = Authority(tmp_path, "ours")
    broker = TlsReceiver(make(ours, Authority(tmp_path / "another", "another")))
    tls = {"kafka.security.protocol": "SSL", "kafka.ssl.ca.location": ours.file, "kafka.bootstrap.servers": f"127.0.0.1:{broker.port}"}
    running = getattr(world, program)(ready=False, **tls, **({"gateway_timeout": "2s"} if program == "gateway" else {}))
    wait_refused(running, "Connect", f"brokers 127.0.0.1:{broker.port}", words)
    is_failing(running)
    assert len(refusals(running)) == 1 and "no broker answers" not in running.log.read_text(), running.log.read_text()
    running.stop()
    broker.close()


# A port of another listener, which ends the connections of a client that speaks plain text to it.
PORTS = {
    "TLS": lambda broker, certificate: f"127.0.0.1:{TlsReceiver(context(certificate)).port}",
    "a login": lambda broker, certificate: broker.secured,
}


@pytest.mark.parametrize("address", PORTS.values(), ids=PORTS)
def test_a_port_that_wants_more_than_plain_text(world, broker, tmp_path, report, address):
    servers = address(broker, Authority(tmp_path, "ours").issue("broker"))
    worker = world.worker(ready=False, **{"kafka.bootstrap.servers": servers})
    gateway = world.gateway(ready=False, gateway_timeout="2s", **{"kafka.bootstrap.servers": servers})
    for program in (worker, gateway):
        is_failing(program)
        told = program.log.read_text()
        assert program.running and not refusals(program) and SILENCE in told and servers in told, told
        report(f"{program.kind}: {SILENCE} readyz=failing")
    assert worker.metric("posthorn_kafka_refused") == 0 and worker.log.read_text().count(SILENCE) == 1
    worker.stop()
    gateway.stop()


def test_no_broker_answers(world):
    worker = world.worker(ready=False, **{"kafka.bootstrap.servers": f"127.0.0.1:{REFUSING_PORT}"})
    assert until(lambda: worker.get("/readyz").out.strip(), what="an answer") == "starting"
    is_failing(worker)
    assert worker.metric("posthorn_repairs_in_a_row") >= 3 and worker.metric("posthorn_kafka_refused") == 0
    assert worker.log.read_text().count(SILENCE) == 1, worker.log.read_text()
    worker.stop()


def test_a_session_timeout_that_the_brokers_do_not_take(broker, world):
    worker = start_worker(broker, world, kafka_session_timeout_ms=3000)
    assert worker.wait_end() == 3
    assert len(refusals(worker)) == 1 and "group.min.session.timeout.ms" in refusals(worker)[0], worker.log.read_text()


def test_topics_check_tells_what_may_not_be_seen(broker, world):
    login = [part for key, value in as_user(broker, "operator").items() for part in ("--set", f"{key}={value}")]
    answer = world.admin("topics", "check", *login)
    assert answer.code == 1 and answer.out.count("Kafka refuses Describe on topic") == len(TOPICS) and "does not exist" not in answer.out, answer


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


def test_an_idle_worker_whose_brokers_are_gone(tmp_path, receivers, schemas):
    """It asks them for nothing but the heartbeat: so it fails once a session is over, and is ready
    again when they are back.
    """
    broker = Broker(tmp_path, arguments=("--port", str(free_ports(2))))
    try:
        world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
        worker = world.worker(kafka_session_timeout_ms=6000)
        broker.stop()
        told = []

        def tells():
            told.append(worker.get("/readyz").out.strip())
            return told[-1] == "failing"

        until(tells, 40, "failing")
        assert set(told) <= {"ok", "failing"}, told
        time.sleep(10)
        assert worker.get("/readyz").out.strip() == "failing"
        broker.start()
        worker.wait_ready()
        world.close()
    finally:
        broker.stop()


def test_a_gateway_whose_brokers_are_gone(tmp_path, receivers, schemas):
    """It says so, and is ready again when they are back; it starts without them, too."""
    broker = Broker(tmp_path, arguments=("--port", str(free_ports(2))))
    try:
        world = World(tmp_path, broker.bootstrap, receivers, schemas).create_topics()
        gateway = world.gateway()
        broker.stop()
        until(lambda: gateway.get("/readyz").out.strip() == "failing", 40, "failing")
        assert gateway.log.read_text().count("no broker answers") == 1, gateway.log.read_text()
        late = world.gateway("gateway-2", ready=False)
        broker.start()
        gateway.wait_ready()
        late.wait_ready()
        world.close()
    finally:
        broker.stop()
