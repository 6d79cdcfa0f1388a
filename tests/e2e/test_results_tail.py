"""results tail: which events, in which order, and how it ends."""

import contextlib
import json
import signal
import subprocess

import pytest
from confluent_kafka import Producer
from env import commands
from env.kafka import connection
from env.paths import ADMIN
from env.programs import ENVIRONMENT
from env.sanitizer import reports
from env.wait import until

SUCCESS, REFUSED, USAGE = range(3)
CREATED = ["WEBHOOK_CREATE_START", "WEBHOOK_CREATE_SUCCESS"]


def create(world, tenant):
    return world.ask(tenant, commands.create("http://127.0.0.1:9/"))


def tail(world, *flags):
    answer = world.admin("results", "tail", "--json", *flags)
    assert answer.code == SUCCESS and not answer.err, answer
    return [json.loads(line) for line in answer.out.splitlines()]


class Follower:
    def __init__(self, process, out, err):
        self.process, self.out, self.err = process, out, err

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert not reports(self.err.read_text()) and self.out.read_text()[-1:] in ("", "\n"), "whole lines only"
        return code


@contextlib.contextmanager
def follow(world, tmp_path, *flags):
    out, err = tmp_path / "out", tmp_path / "err"
    with open(out, "w") as stdout, open(err, "w") as stderr:
        command = [ADMIN, "--config", world.admin.config, "results", "tail", "--follow", "--json", *flags]
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=ENVIRONMENT)
        try:
            yield Follower(process, out, err)
        finally:
            process.kill()
            process.wait()


def test_what_is_there(world):
    tenant = world.tenant()
    end = create(world, tenant)
    events = tail(world, "--tenant", tenant)
    assert [event["type"] for event in events] == CREATED and events[-1]["id"] == end.id
    assert [event["type"] for event in tail(world, "--tenant", tenant, "--type", "*_SUCCESS")] == CREATED[1:]
    people = world.admin("results", "tail", "--tenant", tenant)
    assert people.code == SUCCESS and all(type in people.out for type in CREATED) and "url=http://127.0.0.1:9/" in people.out


def test_since(world):
    tenant = world.tenant()
    create(world, tenant)
    second = create(world, tenant)
    all = tail(world, "--tenant", tenant)
    from_second = tail(world, "--tenant", tenant, "--since", all[2]["timestamp"])
    assert from_second == [event for event in all if event["timestamp"] >= all[2]["timestamp"]] and from_second[-1]["id"] == second.id
    assert tail(world, "--tenant", tenant, "--since", "1h") == all
    assert tail(world, "--tenant", tenant, "--since", "2099-01-01T00:00:00.000Z") == []


def test_limit_is_the_newest_of_all_partitions(world):
    tenants, _ = world.in_every_partition()
    for tenant in tenants.values():
        create(world, tenant)
    all = tail(world)
    newest = tail(world, "--limit", "7")
    times = [event["timestamp"] for event in newest]
    assert len(newest) == 7 and times == sorted(times)
    assert sorted(event["timestamp"] for event in all)[-7:] == times
    assert len(tail(world, "--limit", "100000")) == len(all)
    assert [event["type"] for event in tail(world, "--tenant", tenant, "--limit", "2")] == CREATED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follow_ends_when_it_is_interrupted(world, tmp_path, number):
    tenant = world.tenant()
    with follow(world, tmp_path, "--tenant", tenant) as follower:
        until(lambda: create(world, tenant) and follower.lines, what="an event")
        assert follower.end(number) == SUCCESS


def test_follow_after_the_newest(world, tmp_path):
    """As tail -n 2 -f: no event is missed or shown twice between the last ones and the next."""
    tenant = world.tenant()
    create(world, tenant)
    create(world, tenant)
    with follow(world, tmp_path, "--tenant", tenant, "--limit", "2") as follower:
        until(lambda: len(follower.lines) == 2, what="the newest two")
        create(world, tenant)
        until(lambda: len(follower.lines) == 4, what="the two after them")
        assert follower.lines == tail(world, "--tenant", tenant)[2:]
        assert follower.end(signal.SIGINT) == SUCCESS


@pytest.mark.parametrize("flag", ["--from-beginning", "--since=1h"])
def test_follow_from(world, tmp_path, flag):
    tenant = world.tenant()
    create(world, tenant)
    with follow(world, tmp_path, "--tenant", tenant, flag) as follower:
        until(lambda: len(follower.lines) == 2, what="what was there")
        create(world, tenant)
        until(lambda: len(follower.lines) == 4, what="what came")


def test_a_reader_that_has_enough(world):
    """head closes the pipe, and no further event comes."""
    tenant = world.tenant()
    create(world, tenant)
    command = f"{ADMIN} --config {world.admin.config} results tail --follow --tenant {tenant} --limit 1 | head -1"
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) == 1 and not answer.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--type", "WEBHOOK_CREATED"],
        ["--type", ""],
        ["--limit", "0"],
        ["--limit", "many"],
        ["--since", "x"],
        ["--from-beginning", "--limit", "1"],
        ["--from-beginning", "--since", "1h"],
    ],
    ids=" ".join,
)
def test_wrong_usage(world, flags):
    answer = world.admin("results", "tail", *flags)
    assert answer.code == USAGE and flags[-2] in answer.err and not answer.out


def test_an_event_of_another_schema_is_named(fresh_world):
    partition, offset = fresh_world.writer.place("webhook-results", "k", b"no event")
    answer = fresh_world.admin("results", "tail", "--json")
    assert answer.code == REFUSED and not answer.out and f"partition {partition} offset {offset}" in answer.err


def test_uncommitted_events_are_not_there(world):
    """Another producer's aborted transaction."""
    tenant = world.tenant()
    event = create(world, tenant)
    producer = Producer({**connection(world.bootstrap), "transactional.id": commands.unique("t")})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(world.prefix + "webhook-results", key=tenant, value=world.schemas.event.encode(event.fields))
    producer.flush(20)
    before = tail(world, "--tenant", tenant)
    producer.abort_transaction(20)
    assert tail(world, "--tenant", tenant) == before and len(before) == 2
