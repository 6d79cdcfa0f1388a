"""Records that nobody can process: kept with their reason, and nobody behind them waits."""

from dataclasses import dataclass

import pytest
from env import avro, commands

URL = "http://127.0.0.1:9/hook"
TENANT = "<the tenant>"


@dataclass
class Row:
    name: str
    reason: str  # a word that an operator would search for
    value: object  # bytes, None, or a function of (schemas, tenant)
    key: object = TENANT
    topic: str = "webhook-admin"


def create(schemas, tenant):
    return schemas.command.encode(commands.command(tenant, commands.create(URL)))


def issuance(schemas, tenant):
    return schemas.issuance.encode(commands.issuance(tenant))


ROWS = [
    Row("empty value", "empty", b""),
    Row("null value", "null", None),
    Row("text", "frame", b"hello"),
    Row("marker alone", "cut off", b"\xc3\x01"),
    Row("unknown fingerprint", "0123456789abcdef", avro.MARKER + bytes.fromhex("0123456789abcdef") + b"\x02a"),
    Row("confluent frame", "registry", b"\x00\x00\x00\x00\x07" + b"\x02a"),
    Row("JSON without a tenant", "tenantId", b'{"commandId":"c"}'),
    Row("JSON without a commandId", "commandId", lambda schemas, tenant: b'{"tenantId":"%s"}' % tenant.encode()),
    Row("JSON that is none", "malformed", b'{"commandId":"c","tenantId":}'),
    Row("JSON of another tenant", "key", b'{"commandId":"c","tenantId":"t"}'),
    Row("JSON in UTF-16", "frame", '{"commandId":"c"}'.encode("utf-16")),
    Row("truncated", "malformed", lambda schemas, tenant: create(schemas, tenant)[:-3]),
    Row("bytes left over", "left over", lambda schemas, tenant: create(schemas, tenant) + b"\x00"),
    Row("length of gigabytes", "malformed", lambda schemas, tenant: schemas.command.frame + b"\xfe\xff\xff\xff\x0f"),
    Row("negative length", "malformed", lambda schemas, tenant: schemas.command.frame + b"\x01"),
    Row("another schema of ours", "schema", issuance),
    Row("a command among issuances", "schema", create, topic="credential-issuance"),
    Row("wrong key", "key", create, key=b"somebody-else"),
    Row("null key", "key", create, key=None),
    Row("empty key", "key", create, key=b""),
    Row("wrong key of an issuance", "key", issuance, key=b"somebody-else", topic="credential-issuance"),
    Row("oversized", "bytes", lambda schemas, tenant: create(schemas, tenant) + bytes(600_000)),
    Row(
        "oversized issuance",
        "bytes",
        lambda schemas, tenant: schemas.issuance.encode(commands.issuance(tenant, credential="x" * 530_000)),
        topic="credential-issuance",
    ),
]


@pytest.fixture(scope="module")
def placed():
    """Where the module's bad records lie."""
    return set()


def place_bad(world, placed, topic, key, value, **options):
    """Writes a record that must not be processed, and returns its letter."""
    partition, offset = world.writer.place(topic, key, value, **options)
    placed.add((world.prefix + topic, str(partition), str(offset)))
    return world.dead_letters.of(world.prefix + topic, offset, partition)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_dead_letter(world, placed, row):
    tenant = world.tenant()
    before = commands.command(tenant, commands.create(URL))
    after = commands.command(tenant, commands.create(URL))
    value = row.value(world.schemas, tenant) if callable(row.value) else row.value
    key = tenant.encode() if row.key is TENANT else row.key
    partition, _ = world.writer.place("webhook-admin", tenant, world.schemas.command.encode(before))
    headers = [("traceparent", b"theirs"), ("x-\xc3\xa4", b"\x00\xff")]
    letter = place_bad(world, placed, row.topic, key, value, partition=partition, headers=headers)
    world.writer.place("webhook-admin", tenant, world.schemas.command.encode(after))
    assert (letter.key, letter.value) == (key, value)
    assert row.reason in letter.reason, letter.reason
    assert {name: letter.headers[name] for name, _ in headers} == dict(headers)
    assert letter.headers["posthorn.error.timestamp"].isdigit()
    assert [world.results.end(command["commandId"]).status for command in (before, after)] == [201, 201]


def test_bad_text_is_a_dead_letter(world, placed):
    """Strings of a command are UTF-8 without NUL."""
    for text in (b"\xff\xfe", b"a\x00b"):
        good = create(world.schemas, "tenant-?")
        letter = place_bad(world, placed, "webhook-admin", "tenant-?", good.replace(b"127.0.0.1", text.ljust(9, b"x")))
        assert "UTF-8" in letter.reason


def test_an_empty_tenant_is_a_dead_letter(world, placed):
    assert "tenantId" in place_bad(world, placed, "webhook-admin", b"", create(world.schemas, "")).reason


COMPRESSIBLE = 3_000_000


def place_compressed(world, placed):
    """A record that its topic takes compressed; a dead letter is written as it is."""
    with world.writer.compressing() as writer:
        partition, offset = writer.place("webhook-admin", "tenant-?", bytes(COMPRESSIBLE))
    placed.add((world.prefix + "webhook-admin", str(partition), str(offset)))
    return world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)


def test_a_compressed_record_is_kept_whole(world, placed):
    assert place_compressed(world, placed).value == bytes(COMPRESSIBLE)


def test_a_letter_that_its_topic_does_not_take_is_cut(fresh_world):
    """A topic that somebody made by hand, with Kafka's defaults: the record must not stop the
    worker.
    """
    world = fresh_world
    world.configure("webhook-dead-letters", "max.message.bytes", 1_048_588)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    letter = place_compressed(world, set())
    assert len(letter.value) + len(letter.key) == 512 * 1024
    assert letter.headers["posthorn.error.truncated"] == str(COMPRESSIBLE).encode()
    assert world.ask(world.tenant(), commands.create(URL)).status == 201


# More than any letter holds; of equal bytes, which Kafka compresses to ten KB.
LARGE = 10_490_000


@dataclass
class Large:
    """A record that fits compressed and no other way."""

    name: str
    key: bytes = b"tenant-?"
    value: bytes = b"nonsense"
    headers: tuple = ()
    # Bytes of key and value in the letter, where its topic has the settings of `topics create`.
    kept: tuple = (8, 8)
    told: tuple = ()  # what the letter says of what it does not have


LARGE_ROWS = [
    Large("a header", headers=(("x", b"h" * LARGE),), told=(("dropped.headers", b"1"),)),
    Large("a key", key=b"k" * LARGE, kept=(8 << 20, 0), told=(("truncated.key", b"10490000"), ("truncated", b"8"))),
    Large("a value", value=b"v" * LARGE, kept=(8, (8 << 20) - 8), told=(("truncated", b"10490000"),)),
    Large("a header's name", headers=(("n" * LARGE, b""),), told=(("dropped.headers", b"1"),)),
    Large("many headers", headers=(("x" * 20, b"h" * 80),) * 100_000, told=(("dropped.headers", b"100000"),)),
    Large(
        "all of them",
        key=b"k" * LARGE,
        value=b"v" * LARGE,
        headers=(("x", b"h" * LARGE),),
        kept=(8 << 20, 0),
        told=(("truncated.key", b"10490000"), ("truncated", b"10490000"), ("dropped.headers", b"1")),
    ),
]


def place_large(world, row):
    """Its letter, after the good command behind it in its partition was answered."""
    tenant = world.tenant()
    partition, _ = world.writer.place("webhook-admin", tenant, create(world.schemas, tenant))
    with world.writer.compressing(100_000_000) as writer:
        _, offset = writer.place("webhook-admin", row.key, row.value, headers=list(row.headers), partition=partition)
    assert world.ask(tenant, commands.create(URL)).status == 201
    return world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)


@pytest.mark.parametrize("row", LARGE_ROWS, ids=lambda row: row.name)
def test_whatever_arrives_a_partition_goes_on(fresh_world, row):
    world = fresh_world
    world.worker()
    letter = place_large(world, row)
    assert (len(letter.key), len(letter.value)) == row.kept
    assert letter.headers["posthorn.error.reason"]
    told = {name.removeprefix("posthorn.error."): value for name, value in letter.headers.items() if "truncated" in name or "dropped" in name}
    assert told == dict(row.told)


@pytest.mark.parametrize("limit", [700_000, 40_000, 1000])
def test_whatever_its_topic_takes_there_is_a_letter_that_fits(fresh_world, limit):
    world = fresh_world
    world.configure("webhook-dead-letters", "max.message.bytes", limit)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    for row in LARGE_ROWS:
        letter = place_large(world, row)
        assert len(letter.key) + len(letter.value) <= limit and letter.reason
    assert worker.get("/readyz").code == 200


def test_a_topic_that_takes_no_letter_stops_nothing(fresh_world):
    """Then the log says where the record lies."""
    world = fresh_world
    world.configure("webhook-dead-letters", "max.message.bytes", 100)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    worker.expect_error("a dead letter is not written")
    tenant = world.tenant()
    _, offset = world.writer.place("webhook-admin", tenant, b"nonsense")
    assert world.ask(tenant, commands.create(URL)).status == 201
    assert f"offset={offset}" in next(line for line in worker.log.read_text().splitlines() if "is not written" in line)


def test_a_command_whose_answer_does_not_fit_is_set_aside(fresh_world):
    """A topic for results that is too small for a page: one tenant's long list must not stop
    everybody.
    """
    world = fresh_world
    world.configure("webhook-results", "max.message.bytes", 20_000)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    tenant = world.tenant()
    for _ in range(20):
        assert world.ask(tenant, commands.create(f"https://example.com/{'x' * 1800}")).status == 201
    value = world.schemas.command.encode(commands.command(tenant, commands.retrieve_all()))
    partition, offset = world.writer.place("webhook-admin", tenant, value)
    letter = world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    assert (letter.value, "does not fit" in letter.reason) == (value, True), letter.reason
    assert world.ask(tenant, commands.retrieve_all(limit=2)).status == 200
    assert world.ask(world.tenant(), commands.create(URL)).status == 201


def test_one_letter_a_record(world, placed):
    """At the end of the module: nothing was kept twice, and no good record is among them."""
    world.dead_letters.catch_up()
    names = ("topic", "partition", "offset")
    places = [tuple(letter.headers[f"posthorn.error.{name}"].decode() for name in names) for letter in world.dead_letters.letters]
    assert sorted(places) == sorted(placed)
