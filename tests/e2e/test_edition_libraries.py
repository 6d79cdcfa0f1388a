"""Both editions of the schemas by the Avro libraries of others: consumers that know the first alone
read the results, and producers' commands are read by whatever fingerprint their library makes.

Their programs are made in build/clients; where a language is not there, its test is skipped.
"""

import io
import re
import subprocess
from collections import Counter

import fastavro
import pytest
from env import commands
from env.kafka import Reader
from env.paths import SCHEMAS, STATE_SCHEMA
from env.sanitizer import PATIENCE
from test_registry_clients import build

FIRST = STATE_SCHEMA.parent / "edition-1"
TYPE = "DegreeRevoked"


@pytest.fixture(scope="module")
def world(make_world):
    with make_world(settings={"event.types": TYPE}) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def go():
    folder = build("editions/go", "go", ["go", "build", "-o", "editions", "."])
    return [folder / "editions"]


@pytest.fixture(scope="module")
def java():
    folder = build(
        "editions/java",
        "mvn",
        ["mvn", "-q", "-B", f"-Dedition1={FIRST}", "compile"],
        ["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"],
    )
    return ["java", "-cp", f"{folder}/target/classes:{folder}/jars/*", "Editions"]


def run(command, *arguments, input=None):
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=120 * PATIENCE, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return [line.split() for line in done.stdout.splitlines()]


class Values(Reader):
    """All that was committed to webhook-results so far, as it is."""

    def __init__(self, world):
        self.found = []
        super().__init__(world.bootstrap, world.prefix + "webhook-results")
        self.catch_up()

    def take(self, message):
        self.found.append(message.value())


@pytest.fixture(scope="module")
def values(world):
    """Results of everything that is new, beside what is not."""
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    members = {"description": "d", "headers": [{"name": "x-key", "value": "v"}], "filter": {"subject": ["s"]}, "rateLimit": 9}
    id = world.webhook(tenant, endpoint, events=[TYPE], signatures=["standard-webhooks-hmac"], **members)["id"]
    assert world.ask(tenant, commands.rotate_secret(id)).status == 201
    assert world.ask(tenant, commands.retrieve_all()).status == 200
    assert world.ask(tenant, commands.create("nowhere", description="d" * 300)).status == 400
    assert world.results.end(world.publish(tenant, TYPE, subject="s")).status == 202
    endpoint.wait()
    world.results.wait(lambda: world.results.counts["WEBHOOK_EVENT_PROCESS_SUCCESS"], 20, "the end of the delivery")
    return Values(world).found


@pytest.fixture(scope="module")
def wanted(values, schemas):
    """[type, tenant] of each, read with the schema that it was written with."""
    assert {value[:10] for value in values} == {schemas.event.frame, schemas.event.first.frame}, "both editions are there"
    events = [schemas.event.decode(value) for value in values]
    return [[event["type"], event["tenantId"]] for event in events]


def lines(values):
    return "".join(f"{value.hex()}\n" for value in values)


def test_python_with_the_first_edition_reads_both(values, wanted, schemas):
    mine, later = schemas.event.first, schemas.event
    read = lambda value: fastavro.schemaless_reader(io.BytesIO(value[10:]), (mine if value[:10] == mine.frame else later).parsed, mine.parsed)
    events = [read(value) for value in values]
    assert [[event["type"], event["tenantId"]] for event in events] == wanted
    assert {frozenset(event) for event in events} == {frozenset(field["name"] for field in mine.definition["fields"])}


def test_java_with_the_first_edition_reads_both(values, wanted, java):
    rows = run(java, SCHEMAS / "analytic-event.avsc", input=lines(values))
    assert [row[1:3] for row in rows] == wanted
    kinds = Counter((row[1], row[3]) for row in rows)
    assert kinds["WEBHOOK_CREATE_SUCCESS", "Webhook"] and kinds["WEBHOOK_RETRIEVE_LIST_SUCCESS", "WebhookPage"]
    assert kinds["WEBHOOK_EVENT_PUBLISH_SUCCESS", "null"] and kinds["WEBHOOK_SECRET_ROTATE_SUCCESS", "null"], "they have fields of their own"


def test_go_with_the_first_edition_reads_both(values, wanted, go, schemas):
    first = schemas.event.first
    rows = run(go, "decode", FIRST / "analytic-event.avsc", SCHEMAS / "analytic-event.avsc", first.frame.hex(), schemas.event.frame.hex(), input=lines(values))
    assert [row[1:3] for row in rows] == wanted
    assert {row[3] for row in rows} == {str(len(first.definition["fields"]))}


def table():
    """{(file, edition): {column: fingerprint}} of the README's."""
    rows, file = {}, None
    for name, *forms in re.findall(
        r"^\| (?:`(.+\.avsc)`|its edition 1) \| `(\w{16})` \| `(\w{16})` \| `(\w{16})` \|$", (SCHEMAS / "README.md").read_text(), re.MULTILINE
    ):
        file, edition = (name, 2) if name else (file, 1)
        rows[file, edition] = dict(zip(("specification", "goavro", "hamba"), forms, strict=True))
    return rows


def path_of(file, edition):
    return FIRST / file if edition == 1 else SCHEMAS / file


def test_the_table_has_the_fingerprints_that_the_libraries_make(go):
    rows = table()
    assert {file for file, _ in rows} == {path.name for path in SCHEMAS.glob("*.avsc")}
    assert {file for file, edition in rows if edition == 1} == {path.name for path in FIRST.glob("*.avsc")} - {STATE_SCHEMA.name}
    for (file, edition), forms in rows.items():
        of_go = dict(run(go, "fingerprint", path_of(file, edition)))
        assert of_go == {name: forms[name] for name in ("hamba", "goavro")}, (file, edition)


INPUTS = [
    ("webhook-command.avsc", 1, "webhook-admin", 201),
    ("webhook-command.avsc", 2, "webhook-admin", 201),
    ("credential-issuance-command.avsc", 2, "credential-issuance", 200),
    ("event-command.avsc", 2, "webhook-events", 202),
]


@pytest.mark.parametrize(("file", "edition", "topic", "status"), INPUTS, ids=[f"{file.removesuffix('.avsc')}-{edition}" for file, edition, *_ in INPUTS])
def test_a_command_is_read_by_its_librarys_fingerprint(world, go, file, edition, topic, status):
    tenant, id = world.tenant(), commands.unique("command")
    for library, value in run(go, "encode", path_of(file, edition), id, tenant):
        assert value[4:20] == table()[file, edition][library]
        world.writer.place(topic, tenant, bytes.fromhex(value))
        end = world.results.end(f"{id}-{library}")
        assert end.status == status, (library, end)
        if topic == "webhook-admin":
            assert end.data.get("description") == ("of a library" if edition == 2 else None)
