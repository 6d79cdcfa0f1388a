"""Commands in Confluent's frame, and the schema registry that their ids are of: a real one, and its
outages.
"""

import itertools
import json
import os
import signal
import ssl

import pytest
from env import commands
from env.paths import REFUSING_PORT, SCHEMAS
from env.registry import Front, Registry, basic, framed
from env.tls import Authority
from env.wait import until

FOREIGN = {"type": "record", "name": "Order", "namespace": "com.example", "fields": [{"name": "total", "type": "int"}]}
_VARIANTS = itertools.count()


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def front(registry):
    front = Front(registry)
    yield front
    front.close()


@pytest.fixture(scope="module")
def world(make_world, front):
    settings = {"schema.registry.url": front.url, "schema.registry.timeout": "500ms"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def known(registry, world):
    """The ids of our own schemas."""
    return {
        "webhook-admin": registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition),
        "credential-issuance": registry.register(f"{world.prefix}credential-issuance-value", world.schemas.issuance.definition),
    }


def variant(schemas):
    """A schema of the same records that the registry does not have yet: its documentation
    differs.
    """
    return schemas.command.definition | {"doc": f"variant {next(_VARIANTS)} {os.getpid()}"}


def creation(world, tenant, endpoint=None):
    url = endpoint.url if endpoint else "http://127.0.0.1:9/hook"
    value = commands.command(tenant, commands.create(url))
    return value["commandId"], world.schemas.command.bare(value)


def send(world, tenant, id, endpoint=None):
    """Creates a webhook by a command of this schema id; returns the command's id and its place."""
    command, record = creation(world, tenant, endpoint)
    return command, world.writer.place("webhook-admin", tenant, framed(id, record))


def created(world, command, timeout=20):
    assert world.results.end(command, timeout).status == 201


def letter_at(world, place):
    partition, offset = place
    return world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)


def unknown_id(registry):
    """The id that the registry gives next."""
    return registry.register(f"throwaway-{next(_VARIANTS)}", FOREIGN | {"doc": f"{next(_VARIANTS)} {os.getpid()}"}) + 1


def test_both_frames_are_told_apart_by_their_first_byte(world, known, receivers):
    tenant, endpoint = world.tenant(), receivers.endpoint()
    first, _ = send(world, tenant, known["webhook-admin"], endpoint)
    second = world.writer.ask(tenant, commands.create(endpoint.url))
    created(world, first)
    created(world, second)
    value = commands.issuance(tenant)
    world.writer.place("credential-issuance", tenant, framed(known["credential-issuance"], world.schemas.issuance.bare(value)))
    assert world.results.end(value["commandId"]).status == 200
    until(lambda: len(endpoint.requests) == 2, what="both webhooks' callbacks")


def test_a_schema_may_have_several_ids(world, registry, known):
    other = registry.register("another-subject", variant(world.schemas))
    assert other != known["webhook-admin"]
    for id in (known["webhook-admin"], other):
        created(world, send(world, world.tenant(), id)[0])


def test_a_producers_newer_schema_is_honoured(world, registry):
    newer = variant(world.schemas)
    newer["fields"] = [{"name": "priority", "type": ["null", "int"], "default": None}, *newer["fields"]]
    id = registry.register("newer-command", newer)
    command, record = creation(world, tenant := world.tenant())
    world.writer.place("webhook-admin", tenant, framed(id, b"\x02\x0a" + record))
    created(world, command)


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (FOREIGN, "it is of the schema com.example.Order, which is none of posthorn's"),
        ('"string"', "it is of the type string, not of a record"),
    ],
    ids=("another record", "no record"),
)
def test_a_foreign_record_is_a_dead_letter_that_names_it(world, registry, definition, reason):
    id = registry.register(f"foreign-{next(_VARIANTS)}", definition)
    _, place = send(world, world.tenant(), id)
    letter = letter_at(world, place).reason
    assert f"schema id {id}" in letter and reason in letter


def test_an_event_of_ours_is_no_command(world, registry):
    id = registry.register("events", world.schemas.event.definition)
    _, place = send(world, world.tenant(), id)
    assert "it is of the schema AnalyticEvent, not of WebhookCommand" in letter_at(world, place).reason


def test_an_id_that_the_registry_does_not_know_is_mended_by_a_replay(world, registry):
    id, tenant = unknown_id(registry), world.tenant()
    command, place = send(world, tenant, id)
    assert f"schema id {id}, and the schema registry does not know it" in letter_at(world, place).reason
    created(world, world.writer.ask(tenant, commands.create("http://127.0.0.1:9/hook")))
    assert registry.register(f"late-{id}", variant(world.schemas)) == id
    world.admin.ok("dead-letters", "replay", "--tenant", tenant)
    created(world, command)


@pytest.mark.parametrize("id", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_id_that_no_registry_gives_is_a_dead_letter(world, id):
    _, place = send(world, world.tenant(), id)
    assert "does not know it" in letter_at(world, place).reason


OUTAGES = {"a refused login": 401, "an error": 500, "a proxy's error": 503, "silence": "slow"}


@pytest.mark.parametrize("fails", list(OUTAGES.values()), ids=OUTAGES)
def test_only_partitions_that_need_an_unknown_id_wait(world, registry, front, known, fails):
    worker, letters = world.workers[0], len(world.dead_letters.catch_up().letters)
    tenants, endpoints = world.in_every_partition()
    waiting, *others = sorted(tenants)
    created(world, send(world, tenants[waiting], known["webhook-admin"])[0])
    id = registry.register(f"new-{next(_VARIANTS)}", variant(world.schemas))
    front.fails = fails
    try:
        stuck = [send(world, tenants[waiting], id)[0] for _ in range(5)]
        behind, _ = send(world, tenants[waiting], known["webhook-admin"])
        worker.wait_metric(1, "posthorn_inputs_waiting")
        for partition in others:
            created(world, send(world, tenants[partition], known["webhook-admin"])[0])
        world.issue(tenants[waiting])
        until(lambda: endpoints[tenants[waiting]].requests, what="a delivery of the partition that waits")
        until(lambda: worker.get("/readyz").out == "failing\n", what="readyz to tell it")
        assert worker.metric("posthorn_schema_ids_waiting") == 1
        assert worker.metric("posthorn_schema_registry_failures_in_a_row") >= 3
        assert not any(world.results.by_command[command] for command in (*stuck, behind))
    finally:
        front.mend()
    for command in (*stuck, behind):
        created(world, command)
    worker.wait_ready()
    worker.wait_metric(0, "posthorn_inputs_waiting")
    assert len(world.dead_letters.catch_up().letters) == letters, "nothing was set aside"
    front.awake.clear()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=("stopped", "killed"))
def test_known_ids_go_on_through_a_restart_without_the_registry(make_world, registry, end):
    front = Front(registry)
    with make_world(settings={"schema.registry.url": front.url, "schema.registry.timeout": "500ms"}) as world:
        id = registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition)
        worker, tenant = world.worker(), world.tenant()
        created(world, send(world, tenant, id)[0])
        front.close()
        worker.process.send_signal(end)
        worker.wait_end()
        worker.start()
        created(world, send(world, tenant, id)[0])
        assert [file.name for file in worker.replica.parent.glob("schemas-*/*")] == [f"{id}.avsc"]


def test_a_worker_starts_before_its_registry(make_world, registry):
    """And asks the next url where one does not answer."""
    front = Front(registry)
    front.fails = 503
    urls = f"http://127.0.0.1:{REFUSING_PORT},{front.url}"
    with make_world(settings={"schema.registry.url": urls}) as world:
        id = registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition)
        worker = world.worker()
        command, _ = send(world, world.tenant(), id)
        worker.wait_metric(1, "posthorn_inputs_waiting")
        front.mend()
        created(world, command)
    front.close()


@pytest.fixture
def secret(tmp_path):
    def write(text):
        file = tmp_path / f"secret-{next(_VARIANTS)}"
        file.touch(0o600)
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize(
    ("key", "text", "header"),
    [
        ("schema.registry.basic.auth.file", "worker:s3cret\n", basic("worker", "s3cret")),
        ("schema.registry.bearer.token.file", "t0ken\n", "Bearer t0ken"),
    ],
    ids=("basic", "bearer"),
)
def test_credentials_come_from_a_file_that_may_change(make_world, registry, secret, key, text, header):
    front = Front(registry, authorization=header)
    file = secret("wrong:wrong")
    with make_world(settings={"schema.registry.url": front.url, key: file}) as world:
        id = registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition)
        worker = world.worker()
        command, _ = send(world, world.tenant(), id)
        worker.wait_metric(1, "posthorn_inputs_waiting")
        file.write_text(text)
        created(world, command)
        assert text.strip() not in worker.log.read_text()
    front.close()


def test_tls_with_a_clients_certificate(make_world, registry, tmp_path):
    authority = Authority(tmp_path, "authority")
    server, client = authority.issue("server"), authority.issue("client")
    client.chmod(0o600)
    front = Front(registry, certificate=server, authority=authority.file)
    settings = {
        "schema.registry.url": front.url,
        "schema.registry.ca.file": authority.file,
        "schema.registry.certificate.file": client,
        "schema.registry.key.file": client,
    }
    with make_world(settings=settings) as world:
        id = registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition)
        world.worker()
        created(world, send(world, world.tenant(), id)[0])
    front.close()


def test_an_authority_that_is_not_trusted_is_told(make_world, registry, tmp_path):
    front = Front(registry, certificate=Authority(tmp_path, "stranger").issue("server"))
    with make_world(settings={"schema.registry.url": front.url}) as world:
        id = registry.register(f"{world.prefix}webhook-admin-value", world.schemas.command.definition)
        worker = world.worker()
        send(world, world.tenant(), id)
        worker.wait_metric(1, "posthorn_inputs_waiting")
        until(lambda: "SSL certificate problem" in worker.log.read_text(), what="the reason in the log")
    front.close()


def test_a_credential_that_cannot_be_read_ends_the_start(make_world, registry, tmp_path):
    file = tmp_path / "token"
    file.write_text("t0ken")
    file.chmod(0o644)
    with make_world(settings={"schema.registry.url": registry.url, "schema.registry.bearer.token.file": file}) as world:
        worker = world.worker(ready=False)
        worker.expect_error("credentials for the schema registry")
        assert worker.wait_end() == 3
        assert "has mode 0644" in worker.log.read_text()


# Events


class Confluent:
    """The events' schema with the frame of its id in a registry, for Results."""

    def __init__(self, schema, id):
        self.schema, self.id = schema, id

    def decode(self, data):
        assert data[:5] == framed(self.id, b""), data[:10].hex()
        return self.schema.decode(self.schema.frame + data[5:])


@pytest.fixture(scope="module")
def confluent_world(make_world, registry):
    settings = {"schema.registry.url": registry.url, "results.framing": "confluent"}
    with make_world(settings=settings) as world:
        world.worker()
        text = (SCHEMAS / "analytic-event.avsc").read_text()
        id = registry.register(f"{world.prefix}webhook-results-value", text)
        world.results.schema = Confluent(world.schemas.event, id)
        yield world


def test_events_are_written_in_confluents_frame(confluent_world, registry):
    world, tenant = confluent_world, confluent_world.tenant()
    assert f"{world.prefix}webhook-results-value" in registry.subjects()
    created(world, world.writer.ask(tenant, commands.create("http://127.0.0.1:9/hook")))
    assert world.state.kind("webhook", tenant), "the changelog stays in single-object encoding"


def test_our_own_readers_understand_the_frame(confluent_world):
    world, tenant = confluent_world, confluent_world.tenant()
    world.admin.ok("webhook", "create", "--tenant", tenant, "--url", "http://127.0.0.1:9/hook", "--events", commands.ISSUED)
    events = [json.loads(line) for line in world.admin.ok("results", "tail", "--tenant", tenant, "--json").splitlines()]
    assert [event["type"] for event in events] == ["WEBHOOK_CREATE_START", "WEBHOOK_CREATE_SUCCESS"]
    client = world.client(world.gateway(), tenant)
    assert client("GET", "/v1/webhooks").status == 200


def test_no_event_is_written_before_its_schema_has_an_id(make_world, registry):
    """Also where somebody registers the same schema as another text."""
    settings = {"schema.registry.url": registry.url, "results.framing": "confluent", "schema.registry.auto.register": "false"}
    with make_world(settings=settings) as world:
        worker = world.worker(ready=False)
        worker.expect_error("does not have the schema of results")
        until(lambda: worker.get("/readyz").out == "failing\n", what="readyz to tell it")
        tenant = world.tenant()
        command = world.writer.ask(tenant, commands.create("http://127.0.0.1:9/hook"))
        id = registry.register(f"{world.prefix}webhook-results-value", world.schemas.event.definition)
        world.results.schema = Confluent(world.schemas.event, id)
        worker.wait_ready()
        created(world, command)


def test_the_operator_registers_and_checks_the_schemas(make_world, registry):
    with make_world(settings={"schema.registry.url": registry.url}) as world:
        before = world.admin("schemas", "check", "--json")
        assert before.code == 1
        assert {schema["state"] for schema in json.loads(before.out)["schemas"]} == {"missing"}
        made = world.admin.json("schemas", "register")
        assert made["good"]
        assert [schema["subject"].removeprefix(world.prefix) for schema in made["schemas"]] == [
            "webhook-admin-value",
            "credential-issuance-value",
            "webhook-events-value",
            "webhook-results-value",
        ]
        assert world.admin.json("schemas", "check") == made
        world.worker()
        created(world, send(world, world.tenant(), made["schemas"][0]["id"])[0])


def test_a_registry_that_is_away_is_told_to_the_operator(fresh_world):
    answer = fresh_world.admin("schemas", "check", "--set", f"schema.registry.url=http://127.0.0.1:{REFUSING_PORT}")
    assert answer.code == 3
    assert "the schema registry does not answer" in answer.err
    assert fresh_world.admin("schemas", "check").code == 2


@pytest.mark.parametrize("error", [ConnectionResetError(), BrokenPipeError(), ssl.SSLError(), ValueError("odd")], ids=lambda error: type(error).__name__)
def test_a_client_that_goes_away_leaves_no_traceback_of_the_front(front, capsys, error):
    try:
        raise error
    except (OSError, ValueError):
        front.server.handle_error(None, ("127.0.0.1", 1))
    assert ("odd" in capsys.readouterr().err) == isinstance(error, ValueError)
