"""Producers with another partitioner: each of their commands is handed on to its tenant's
partition, as it came and once.
"""

from contextlib import closing

import pytest
from env import commands
from env.kafka import CommandWriter, Inputs
from env.partitioner import partition_of
from env.wait import until

INPUTS = ("webhook-admin", "credential-issuance")
FROM = "posthorn.rerouted.from"
URL = "http://127.0.0.1:9/hook"
TENANTS, CREDENTIALS = 24, 5
MAX_BYTES, OVERHEAD = 524_288, 10  # command.max.bytes; what a header's lengths count
WARNING = "a record is not in the partition of its key and is handed on"


def records(world, topic):
    with closing(Inputs(world.bootstrap, world.prefix + topic)) as inputs:
        return inputs.catch_up().records


def right_partition(world, tenant):
    return partition_of(tenant.encode(), world.partitions)


def wrong_partition(world, tenant):
    return (right_partition(world, tenant) + 1) % world.partitions


def creation(world, tenant, url=URL, **fields):
    value = commands.command(tenant, commands.create(url), **fields)
    return value["commandId"], world.schemas.command.encode(value)


def copies_of(record, found):
    """The records that were handed on from there, which must be as it is but for one header."""
    copies = [copy for copy in found if copy.rerouted_from == (record.partition, record.offset)]
    for copy in copies:
        assert (copy.key, copy.value, copy.timestamp) == (record.key, record.value, record.timestamp)
        assert [header for header in copy.headers if header[0] != FROM] == record.headers
    return copies


def check_input(world, topic):
    """Each record is where its key belongs, or its one copy is. Returns the number of copies."""
    found = records(world, topic)
    misplaced = [record for record in found if record.partition != partition_of(record.key, world.partitions)]
    for record in misplaced:
        (copy,) = copies_of(record, found)
        assert copy.partition == partition_of(record.key, world.partitions)
    assert len(misplaced) == sum(record.rerouted_from is not None for record in found)
    return len(misplaced)


def test_a_producer_with_the_partitioner_of_librdkafka(fresh_world):
    """With two workers: the partition of a copy is often the other's."""
    world = fresh_world
    workers = [world.worker(f"worker-{n}") for n in (1, 2)]
    until(lambda: all(len(worker.partitions()) == 2 for worker in workers), what="two partitions each")
    writer = CommandWriter(world.bootstrap, world.prefix, world.schemas, partitioner="consistent_random")
    endpoints = {world.tenant(): world.receivers.endpoint() for _ in range(TENANTS)}
    asked = [writer.ask(tenant, commands.create(endpoint.url)) for tenant, endpoint in endpoints.items()]
    writer.flush()
    assert {world.results.end(id).status for id in asked} == {201}
    for tenant in endpoints:
        for n in range(CREDENTIALS):
            writer.issuance(commands.issuance(tenant), headers=[("traceparent", b"theirs"), ("x-raw", b"\x00\xff"), ("n", b"%d" % n)])
    writer.flush()
    for endpoint in endpoints.values():
        endpoint.wait(CREDENTIALS)
    for topic in INPUTS:
        count = check_input(world, topic)
        assert count > 0
        until(lambda topic=topic, count=count: sum(w.metric("posthorn_records_rerouted_total", topic=topic) for w in workers) == count, what="all are counted")
    for worker in workers:
        assert worker.metric("posthorn_commands_total", outcome="dead_letter") == 0
        warnings = [line for line in worker.log.read_text().splitlines() if WARNING in line]
        assert len(warnings) == len({line.split("topic=")[1].split()[0] for line in warnings}) <= len(INPUTS), "each topic once"
        assert all("murmur2_random" in line for line in warnings)
    assert not world.dead_letters.catch_up().letters


def test_a_tenants_order_is_kept_where_its_producers_agree(world):
    tenant = world.tenant()
    id, value = creation(world, tenant)
    partition = wrong_partition(world, tenant)
    world.writer.raw("webhook-admin", tenant, value, partition=partition)
    world.writer.flush()
    webhook = world.results.end(id).data["id"]
    asked = []
    for n in range(200):
        update = commands.command(tenant, commands.update(webhook, f"{URL}/{n}"))
        world.writer.raw("webhook-admin", tenant, world.schemas.command.encode(update), partition=partition)
        asked.append(update["commandId"])
    world.writer.flush()
    assert world.results.end(asked[-1]).data["url"] == f"{URL}/199"
    answered = sorted((end.offset, id) for id in asked for end in [world.results.end(id)] if end.status == 200)
    assert [id for _, id in answered] == asked


def test_what_was_handed_on_before_is_a_dead_letter(world):
    """Where partitions are added while workers run, two of them could hand it to each other."""
    tenant = world.tenant()
    _, value = creation(world, tenant)
    place = world.writer.place("webhook-admin", tenant, value, partition=wrong_partition(world, tenant), headers=[(FROM, b"7:1")])
    letter = world.dead_letters.of(world.prefix + "webhook-admin", place[1], place[0])
    assert "handed on once already" in letter.reason and "murmur2_random" in letter.reason
    assert letter.value == value and letter.headers[FROM] == b"7:1"


@pytest.mark.parametrize("value", [None, b"", b"no command"], ids=str)
def test_what_is_no_command_is_not_handed_on(world, value):
    tenant = world.tenant()
    partition, offset = world.writer.place("webhook-admin", tenant, value, partition=wrong_partition(world, tenant))
    letter = world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    assert letter.value == value and "murmur2_random" not in letter.reason


def test_headers_that_are_too_large(world):
    tenant = world.tenant()
    _, value = creation(world, tenant)
    partition, offset = world.writer.place("webhook-admin", tenant, value, headers=[("x", bytes(600_000))])
    assert "headers have" in world.dead_letters.of(world.prefix + "webhook-admin", offset, partition).reason


def test_headers_that_are_as_large_as_may_be(world):
    """What the worker adds to hand it on does not make them too large."""
    tenant = world.tenant()
    id, value = creation(world, tenant)
    largest = [("x", bytes(MAX_BYTES - len("x") - OVERHEAD))]
    world.writer.place("webhook-admin", tenant, value, partition=wrong_partition(world, tenant), headers=largest)
    assert world.results.end(id).status == 201


def test_it_can_be_switched_off(fresh_world):
    world = fresh_world
    world.worker(input_reroute="false")
    tenant = world.tenant()
    _, value = creation(world, tenant)
    partition, offset = world.writer.place("webhook-admin", tenant, value, partition=wrong_partition(world, tenant))
    letter = world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    assert f"key belongs to partition {right_partition(world, tenant)}" in letter.reason and "murmur2_random" in letter.reason


BATCH, RECORD = 61, 20  # bytes: of a batch, and more than a record without headers needs


def test_a_record_that_its_topic_does_not_take_with_one_header_more(fresh_world):
    """It is a dead letter, and those behind it are handed on."""
    world = fresh_world
    tenant = world.tenant()
    _, large = creation(world, tenant, URL + "/" + "x" * 1000)
    world.configure("webhook-admin", "max.message.bytes", BATCH + len(tenant) + len(large) + RECORD)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    partition, offset = world.writer.place("webhook-admin", tenant, large, partition=wrong_partition(world, tenant))
    id, small = creation(world, tenant)
    world.writer.place("webhook-admin", tenant, small, partition=partition)
    letter = world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    assert letter.value == large and "murmur2_random" in letter.reason
    assert world.results.end(id).status == 201
