"""dead-letters list and replay: unprocessable records are found, mended and sent again, and nothing
of them is lost.
"""

import json
import os
import signal
import subprocess
import time

import pytest
from env import commands
from env.kafka import Inputs, Reader
from env.paths import ADMIN
from env.programs import ENVIRONMENT
from env.wait import until

SUCCESS, REFUSED, USAGE = range(3)
URL = "http://127.0.0.1:9/hook"


def creation(world, tenant, url=URL):
    value = commands.command(tenant, commands.create(url))
    return value["commandId"], world.schemas.command.encode(value)


def place_bad(world, topic, key, value, **options):
    partition, offset = world.writer.place(topic, key, value, **options)
    world.dead_letters.of(world.prefix + topic, offset, partition)
    return partition, offset


def lines(answer):
    return [json.loads(line) for line in answer.out.splitlines()]


def listed(world, *flags):
    answer = world.admin("dead-letters", "list", "--json", *flags)
    assert answer.code == SUCCESS and not answer.err, answer
    return lines(answer)


def at(letter):
    return f"{letter['partition']}:{letter['offset']}"


def test_list_shows_where_it_came_from_and_why(world):
    tenant = world.tenant()
    partition, offset = place_bad(world, "webhook-admin", tenant, b"hello \x00\xff" + bytes(200))
    (letter,) = listed(world, "--tenant", tenant)
    assert (letter["topic"], letter["sourcePartition"], letter["sourceOffset"]) == (world.prefix + "webhook-admin", partition, offset)
    assert (letter["key"], letter["tenantId"], letter["bytes"], letter["keptBytes"], letter["replayOf"]) == (tenant, None, 208, 208, None)
    assert letter["preview"] == "hello .." + 56 * "." and "frame" in letter["reason"]
    table = world.admin("dead-letters", "list", "--tenant", tenant)
    assert table.code == SUCCESS and at(letter) in table.out and letter["reason"] in table.out and "hello .." in table.out


def test_list_filters(world):
    tenant = world.tenant()
    _, good = creation(world, tenant)
    place_bad(world, "webhook-admin", tenant, b"one")
    place_bad(world, "credential-issuance", tenant, None)
    place_bad(world, "webhook-admin", b"somebody-else", good)
    by_reason = {letter["reason"]: letter for letter in listed(world, "--tenant", tenant)}
    assert len(by_reason) == 3 and "value is null" in by_reason
    mismatch = by_reason["key is not the command's tenantId"]
    assert (mismatch["key"], mismatch["tenantId"]) == ("somebody-else", tenant), "also found by what the command names"
    assert [letter["reason"] for letter in listed(world, "--tenant", tenant, "--reason", "is null")] == ["value is null"]
    assert [letter["reason"] for letter in listed(world, "--tenant", tenant, "--topic", "credential-issuance")] == ["value is null"]
    assert listed(world, "--at", at(mismatch)) == [mismatch]
    assert listed(world, "--tenant", tenant, "--since", mismatch["time"])[-1] == mismatch
    assert listed(world, "--tenant", tenant, "--since", "2099-01-01T00:00:00.000Z") == []
    newest = listed(world, "--tenant", tenant, "--limit", "2")
    assert newest == listed(world, "--tenant", tenant)[1:]
    assert "1 older: --limit 3" in world.admin("dead-letters", "list", "--tenant", tenant, "--limit", "2").out


def test_nothing_there(world):
    assert listed(world, "--tenant", world.tenant()) == []
    answer = world.admin("dead-letters", "list", "--at", "0:987654321", "--json")
    assert answer.code == REFUSED and not answer.out and "0:987654321" in answer.err


@pytest.mark.parametrize(
    "flags",
    [
        ["--at", "1"],
        ["--at", "1:x"],
        ["--at", "1:2,"],
        ["--topic", "webhook-state"],
        ["--since", "yesterday"],
        ["--limit", "0"],
        ["--limit", "x"],
    ],
    ids=" ".join,
)
def test_wrong_filters(world, flags):
    answer = world.admin("dead-letters", "list", *flags)
    assert answer.code == USAGE and flags[0] in answer.err and not answer.out


@pytest.mark.parametrize("flags", [[], ["--all", "--tenant", "a"], ["--dry-run"]], ids=" ".join)
def test_replay_wants_to_be_told_which(world, flags):
    answer = world.admin("dead-letters", "replay", *flags)
    assert answer.code == USAGE and "--all" in answer.err and not answer.out


def test_replay_after_what_was_wrong_is_mended(fresh_world):
    """A limit that was too low; then it is raised, and the letter is sent as it was."""
    world = fresh_world
    small = world.worker(command_max_bytes=1024)
    tenant = world.tenant()
    id, encoded = creation(world, tenant, f"http://127.0.0.1:9/{'x' * 1500}")
    parent = ("traceparent", b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01")
    place_bad(world, "webhook-admin", tenant, encoded, headers=[parent, ("x-raw", b"\x00\xff"), ("x-null", None)])
    small.stop()
    world.worker()
    (letter,) = listed(world)
    dry = world.admin("dead-letters", "replay", "--all", "--dry-run", "--json")
    assert dry.code == SUCCESS and [line["result"] for line in lines(dry)] == ["would-be-sent"]
    answer = world.admin("dead-letters", "replay", "--all", "--json")
    (line,) = lines(answer)
    assert answer.code == SUCCESS and not answer.err
    assert line == {
        "partition": letter["partition"],
        "offset": letter["offset"],
        "topic": world.prefix + "webhook-admin",
        "key": tenant,
        "result": "sent",
        "why": None,
    }
    end = world.results.end(id)
    assert end.status == 201 and end.headers["traceparent"] == parent[1].decode()
    again = world.admin("dead-letters", "replay", "--at", at(letter))
    assert again.code == SUCCESS and "1 sent and acknowledged, 0 not sent" in again.out
    until(lambda: world.results.catch_up() and len(world.results.by_command[id]) == 4, what="the repeat")
    assert len(world.state.kind("webhook", tenant)) == 1, "answered once more, applied once"


def test_what_is_still_wrong_comes_back_and_says_of_what_it_is_a_replay(world):
    tenant = world.tenant()
    headers = [("x-raw", b"\x00\xff"), ("x-null", None), ("x-raw", b"again")]
    place_bad(world, "webhook-admin", tenant, b"hello", headers=headers)
    (letter,) = listed(world, "--tenant", tenant)
    assert world.admin("dead-letters", "replay", "--at", at(letter)).code == SUCCESS
    first, second = until(lambda: len(found := listed(world, "--tenant", tenant)) == 2 and found, what="the second letter")
    assert first == letter and (second["replayOf"], second["key"], second["preview"]) == (at(letter), tenant, "hello")
    world.dead_letters.catch_up()
    kept = world.dead_letters.letters[-1].headers
    assert kept["x-raw"] == b"again" and kept["x-null"] is None
    assert kept["posthorn.replay.partition"] == str(letter["partition"]).encode() and kept["posthorn.replay.timestamp"].isdigit()
    assert kept["posthorn.error.offset"] == str(second["sourceOffset"]).encode(), "told anew, not twice"


def test_a_wrong_partition_is_mended_by_a_replay(world):
    tenant = world.tenant()
    id, value = creation(world, tenant)
    right, _ = world.writer.place("webhook-admin", tenant, world.schemas.command.encode(commands.command(tenant, commands.retrieve_all())))
    handed_on_before = [("posthorn.rerouted.from", b"0:1"), ("x-raw", b"1")]
    place_bad(world, "webhook-admin", tenant, value, partition=(right + 1) % world.partitions, headers=handed_on_before)
    (letter,) = listed(world, "--tenant", tenant)
    assert world.admin("dead-letters", "replay", "--tenant", tenant, "--reason", "murmur2_random").code == SUCCESS
    assert world.results.end(id).status == 201
    inputs = Inputs(world.bootstrap, world.prefix + "webhook-admin").catch_up()
    (headers,) = (dict(record.headers) for record in inputs.records if record.value == value and record.partition == right)
    inputs.close()
    assert headers["x-raw"] == b"1" and headers["posthorn.replay.offset"] == str(letter["offset"]).encode()
    assert "posthorn.rerouted.from" not in headers, "it may be handed on once more"


@pytest.mark.parametrize("key", [None, b"", b"somebody-else"], ids=str)
def test_rekey(world, key):
    tenant = world.tenant()
    id, value = creation(world, tenant)
    place_bad(world, "webhook-admin", key, value)
    dry = world.admin("dead-letters", "replay", "--tenant", tenant, "--rekey", "--dry-run")
    assert dry.code == SUCCESS and f"with key {tenant}" in dry.out and "1 would be sent, 0 cannot be" in dry.out
    assert world.admin("dead-letters", "replay", "--tenant", tenant, "--rekey").code == SUCCESS
    assert world.results.end(id).status == 201


def test_what_was_cut_is_named_and_the_others_are_sent(fresh_world):
    world = fresh_world
    world.configure("webhook-dead-letters", "max.message.bytes", 1_048_588)
    worker = world.worker()
    worker.expect_error("a record is too large for its topic")
    tenant = world.tenant()
    with world.writer.compressing() as writer:
        partition, offset = writer.place("webhook-admin", tenant, bytes(3_000_000))
    world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    id, value = creation(world, tenant)
    place_bad(world, "webhook-admin", b"somebody-else", value)
    cut = next(letter for letter in listed(world) if letter["bytes"] == 3_000_000)
    assert cut["keptBytes"] == 512 * 1024 - len(tenant)
    answer = world.admin("dead-letters", "replay", "--tenant", tenant, "--rekey")
    assert answer.code == REFUSED and f"{at(cut)} is not sent" in answer.err and "only its producer" in answer.err
    assert "1 sent and acknowledged, 1 not sent" in answer.out and world.results.end(id).status == 201
    assert world.admin("dead-letters", "replay", "--all", "--dry-run").code == REFUSED


def test_a_letter_without_its_headers_or_its_whole_key_says_so_and_is_not_sent(world):
    tenant = world.tenant()
    with world.writer.compressing(100_000_000) as writer:
        for key, headers in ((tenant, [("x", bytes(10_490_000))]), (tenant + "k" * 10_490_000, [])):
            partition, offset = writer.place("webhook-admin", key, b"nonsense", headers=headers)
            world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    without, cut = sorted((letter for letter in listed(world) if (letter["key"] or "").startswith(tenant)), key=lambda letter: letter["keyBytes"])
    assert (without["droppedHeaders"], without["keptBytes"], without["bytes"]) == (1, 8, 8)
    assert (cut["keyBytes"], cut["keptKeyBytes"], cut["droppedHeaders"]) == (10_490_000 + len(tenant), 8 << 20, 0)
    table = world.admin("dead-letters", "list", "--at", at(without))
    assert "1 header dropped" in table.out
    for letter in (without, cut):
        answer = world.admin("dead-letters", "replay", "--at", at(letter))
        assert answer.code == REFUSED and "only its producer" in answer.err


def test_what_its_topic_does_not_take_is_named_and_the_others_are_sent(fresh_world):
    """The limit of the topic of commands was lowered since."""
    world = fresh_world
    world.worker(command_max_bytes=2048)
    tenant = world.tenant()
    id, value = creation(world, tenant)
    place_bad(world, "webhook-admin", tenant, os.urandom(30_000))
    place_bad(world, "webhook-admin", b"somebody-else", value)
    world.configure("webhook-admin", "max.message.bytes", 10_000)
    answer = world.admin("dead-letters", "replay", "--tenant", tenant, "--rekey", "--json")
    assert sorted(line["result"] for line in lines(answer)) == ["not-sent", "sent"] and answer.code != SUCCESS, answer
    assert "too large" in answer.err and world.results.end(id).status == 201


def test_a_letter_of_nobody_is_named(fresh_world):
    """Records that no worker wrote, or that came from another installation's topics."""
    world = fresh_world
    world.writer.place("webhook-dead-letters", "k", b"v")
    error = [("posthorn.error.reason", b"r"), ("posthorn.error.topic", b"webhook-state\xff"), ("posthorn.error.offset", b"x")]
    world.writer.place("webhook-dead-letters", "k", b"v", headers=error)
    assert [letter["topic"] for letter in listed(world)] == ["", "webhook-state."]
    answer = world.admin("dead-letters", "replay", "--all")
    assert answer.code == REFUSED and "no worker wrote it" in answer.err and "topic.prefix" in answer.err
    assert "0 sent and acknowledged, 2 not sent" in answer.out


def test_many(world):
    """Each once, in the order of its tenant."""
    tenant = world.tenant()
    ids = []
    for _ in range(500):
        id, value = creation(world, tenant)
        ids.append(id)
        world.writer.raw("webhook-admin", b"somebody-else", value)
    world.writer.flush()
    until(lambda: len(listed(world, "--tenant", tenant, "--limit", "1000")) == 500, what="the letters")
    answer = world.admin("dead-letters", "replay", "--tenant", tenant, "--rekey", "--json")
    assert answer.code == SUCCESS and [line["result"] for line in lines(answer)] == ["sent"] * 500
    assert all(world.results.end(id).status == 201 for id in ids)
    ends = [event.commandId for event in world.results.events if event.commandId in set(ids) and event.type.endswith("_SUCCESS")]
    assert ends == ids


def write_letters(world, count):
    """As a worker would write them, for commands that no worker takes."""
    for n in range(count):
        error = {"reason": "r", "topic": f"{world.prefix}webhook-admin", "partition": 0, "offset": n, "timestamp": 1}
        headers = [(f"posthorn.error.{name}", str(value).encode()) for name, value in error.items()]
        world.writer.raw("webhook-dead-letters", f"tenant-{n % 100}", f"value-{n}", headers)
    world.writer.flush()


class Records(Reader):
    def __init__(self, *arguments):
        self.values = []
        super().__init__(*arguments)

    def take(self, message):
        self.values.append(message.value().decode())


def test_an_interrupted_replay_says_what_it_has_sent(fresh_world):
    """It ends early, but with nothing between sent and not sent.

    The signal cannot come too late: a hundred letters wait at most, and the answers of 20,000 are
    more than a pipe holds that nobody reads before the signal. It comes into a write, which
    goes on.
    """
    world = fresh_world
    write_letters(world, 20_000)
    sent = Records(world.bootstrap, world.prefix + "webhook-admin")
    command = [ADMIN, "--config", world.admin.config, "--set", "kafka.queue.buffering.max.messages=100"]
    command += ["dead-letters", "replay", "--all", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    sent.wait(lambda: sent.values)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and not err
    told = [json.loads(line) for line in out.splitlines()]
    sent.catch_up()
    assert {line["result"] for line in told} == {"sent"} and len(told) == len(sent.values) < 20_000


def test_every_letter_is_sent_once(fresh_world, report):
    world = fresh_world
    write_letters(world, 5000)
    begin = time.monotonic()
    answer = world.admin("dead-letters", "replay", "--all")
    report(f"5,000 letters replayed in {time.monotonic() - begin:.1f} s")
    assert answer.code == SUCCESS and "5000 sent and acknowledged, 0 not sent" in answer.out
    sent = Records(world.bootstrap, world.prefix + "webhook-admin")
    sent.catch_up()
    assert sorted(sent.values) == sorted(f"value-{n}" for n in range(5000))


def test_no_broker(world):
    """Nothing is sent, and it says so."""
    answer = world.admin("--set", "kafka.bootstrap.servers=127.0.0.1:1", "dead-letters", "replay", "--all", "--timeout", "2s")
    assert answer.code == 3 and answer.err and not answer.out
