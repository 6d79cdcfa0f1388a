"""State leaves one changelog as a file, and is served from another: of another prefix, and of
another number of partitions.
"""

import base64
import hmac
import itertools
import json
import signal
import subprocess
import threading
from collections import Counter, defaultdict
from datetime import datetime

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from env import commands
from env.kafka import connection
from env.offsets import set_by_hand, wait_left
from env.partitioner import partition_of
from env.paths import ADMIN, BIN, REFUSING_PORT
from env.programs import ENVIRONMENT, run
from env.wait import until

MORE_PARTITIONS = 7
COMMANDS = 300
RECORDS = 180_000  # of `fill`: several transactions of an import
TYPE = "order.paid"
SETTINGS = {"delivery.retry.schedule": "500ms", "delivery.retry.jitter": 0, "kafka.session.timeout.ms": 6000}
HEADER = {"name": "x-api-key", "value": "opensesame"}


@pytest.fixture
def old(make_world):
    with make_world(settings=SETTINGS) as world:
        yield world


@pytest.fixture
def new(make_world, old):
    """Where nobody has worked yet, with the same master key."""
    settings = {"worker.master.key.file": old.master_key, "kafka.session.timeout.ms": 6000}
    with make_world(settings=settings, partitions=MORE_PARTITIONS) as world:
        yield world


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.jsonl"


def records(world):
    """The changelog's records without its positions, wherever they lie."""
    lines = (json.loads(line) for line in world.admin.dump().splitlines())
    return {line["key"]: line["value"] for line in lines if line["key"] != "position"}


def busy(world):
    """A worker that has something of everything: (worker, {tenant: endpoint}, {tenant: answer})."""
    worker = world.worker()
    _, endpoints = world.in_every_partition()
    answers = {tenant: world.ask(tenant, commands.rotate_key(), command_id=f"rotate-{tenant}") for tenant in endpoints}
    for tenant, endpoint in endpoints.items():
        endpoint.answers(503)
        world.issue(tenant)
    for endpoint in endpoints.values():
        endpoint.wait(2)
    until(lambda: sum(value.get("attempts", 0) == 2 for value in records(world).values()) == len(endpoints), 20, "two attempts of each")
    return worker, endpoints, answers


def test_a_cutover_to_more_partitions(old, new, file):
    worker, endpoints, answers = busy(old)
    worker.stop()
    jwks = {tenant: old.admin.jwks(tenant) for tenant in endpoints}
    told = old.admin.ok("state", "export", file)
    assert told == f"{len(records(old))} records\n" and file.stat().st_mode & 0o777 == 0o600
    assert new.admin.ok("state", "import", file) == f"{len(records(old))} records, {len(records(old))} of them sent now\n"
    assert records(new) == records(old)
    assert {tenant: new.admin.jwks(tenant) for tenant in endpoints} == jwks
    for endpoint in endpoints.values():
        endpoint.answers(200)
    new.worker()
    for tenant, endpoint in endpoints.items():
        (webhook,) = new.ask(tenant, commands.retrieve_all()).data["data"]
        assert webhook["url"] == endpoint.url
        assert new.ask(tenant, commands.recover(webhook["id"])).status == 200
        again = new.ask(tenant, commands.rotate_key(), command_id=f"rotate-{tenant}")
        assert (again.repeat, again.data) == (True, answers[tenant].data)
        new.issue(tenant)
        former, *_ = requests = endpoint.wait(4)
        ids = Counter(request.id for request in requests)
        assert len(ids) == 2 and ids[former.id] == 3, "two attempts, what was recovered, and what is new"


def test_an_export_tells_of_commands_that_are_not_handled(old, file):
    """A cutover would leave them behind."""
    worker, endpoints, _ = busy(old)
    worker.stop()
    waiting = [old.issue(tenant) for tenant in endpoints] + [old.writer.ask(next(iter(endpoints)), commands.retrieve_all())]
    old.writer.flush()
    told = old.admin.ok("state", "export", file)
    assert told == f"{len(records(old))} records\nup to {len(waiting)} commands of the inputs are not handled yet\n"
    worker.start()
    for id in waiting:
        old.results.end(id)
    worker.stop()
    assert old.admin.json("state", "export", file.with_name("again.jsonl"))["unhandled"] == 0


class Load(threading.Thread):
    """Issues for these tenants in turn until it is told to end."""

    def __init__(self, world, tenants):
        super().__init__(daemon=True)
        self.world, self.tenants, self.issued = world, list(tenants), []
        self.lock, self.is_over = threading.Lock(), threading.Event()

    def run(self):
        for tenant in itertools.cycle(self.tenants):
            if self.is_over.wait(0.005):
                return
            with self.lock:
                value = commands.issuance(tenant)
                self.world.writer.issuance(value)
                self.issued.append(value)

    def go_over(self, world):
        """From now on all commands are the other world's; returns those of before."""
        with self.lock:
            former, self.world, issued = self.world, world, list(self.issued)
        former.writer.flush()
        return issued

    def end(self):
        self.is_over.set()
        self.join()
        self.world.writer.flush()


def test_a_cutover_under_load(make_world, file):
    """As docs/operating.md has it. The producers never stop, and half of the endpoints fail until
    it is over: each credential comes to its endpoint, none with two ids, and none twice to one that
    took it.
    """
    settings = {"delivery.retry.schedule": ",".join(20 * ["5s"]), "delivery.breaker.probe.interval": "1s"}
    with (
        make_world(settings=settings) as old,
        make_world(settings=settings | {"worker.master.key.file": old.master_key}, partitions=MORE_PARTITIONS) as new,
    ):
        worker = old.worker()
        _, endpoints = old.in_every_partition()
        failing = list(endpoints.values())[::2]
        for endpoint in failing:
            endpoint.answers(503)
        load = Load(old, endpoints)
        assert new.writer  # made here, not by the other thread
        load.start()
        until(lambda: len(load.issued) >= COMMANDS, 60, "a load")
        before = load.go_over(new)
        for value in before[-len(endpoints) :]:
            old.results.end(value["commandId"])
        worker.wait_metric(0, "posthorn_consumer_lag")
        worker.stop()
        assert old.admin.json("state", "export", file)["unhandled"] == 0
        new.admin.ok("state", "import", file)
        assert records(new) == records(old)
        assert sum(value.get("status") == "pending" for value in records(new).values()) >= len(failing)
        worker = new.worker()
        for endpoint in failing:
            endpoint.answers(200)
        until(lambda: len(load.issued) >= 2 * COMMANDS, 60, "more of it")
        load.end()
        ids = defaultdict(set)

        def all_came():
            for endpoint in endpoints.values():
                for request in endpoint.requests:
                    ids[request.json["event"]["payload"]["credentialId"]].add(request.id)
            return len(ids) == len(load.issued)

        until(all_came, 60, "a callback of each credential")
        worker.wait_metric(0, "posthorn_deliveries_pending", timeout=60)
        assert worker.metric("posthorn_deliveries_total", outcome="dead") == 0
        assert all(len(each) == 1 for each in ids.values())
        for endpoint in endpoints.values():
            came = Counter(request.id for request in endpoint.requests)
            assert endpoint in failing or max(came.values()) == 1, came


def test_one_tenant_moves_alone(old, new, file):
    worker, endpoints, _ = busy(old)
    worker.stop()
    tenant, other = list(endpoints)[:2]
    old.admin.ok("--tenant", tenant, "state", "export", file)
    refused = new.admin("--tenant", tenant, "state", "import", file)
    assert refused.code == 2 and "--tenant is for state export" in refused.err and records(new) == {}
    new.admin.ok("state", "import", file)
    moved = records(new)
    assert moved and moved.items() <= records(old).items()
    new.worker()
    assert new.ask(tenant, commands.retrieve_all()).data["data"]
    assert not new.ask(other, commands.retrieve_all()).data["data"]


def test_a_tenant_that_has_moved_is_sent_to_by_one_pool(make_world, file):
    """As docs/operating.md has it: disabled in the old pool, after the copy and before the new pool
    starts.
    """
    settings = SETTINGS | {"delivery.retry.schedule": ",".join(20 * ["1s"])}
    with (
        make_world(settings=settings) as old,
        make_world(settings=settings | {"worker.master.key.file": old.master_key}, partitions=MORE_PARTITIONS) as new,
    ):
        old.worker()
        tenant, endpoint = old.tenant(), old.receivers.endpoint().answers(503)
        webhook = old.webhook(tenant, endpoint)
        old.issue(tenant)
        first, *_ = endpoint.wait(1)
        old.admin.ok("--tenant", tenant, "state", "export", file)
        assert old.ask(tenant, commands.update(webhook["id"], endpoint.url, disabled=True)).status == 200
        old.delivered(first.id, last="WEBHOOK_EVENT_PROCESS_FAIL")
        sent = len(endpoint.requests)
        endpoint.answers(200)
        new.admin.ok("state", "import", file)
        new.worker()
        new.delivered(first.id)
        assert [request.id for request in endpoint.requests[sent:]] == [first.id]


def newest(worker):
    """Once it writes what older releases cannot read."""
    worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
    return worker


def is_signed(callback, secret):
    """By HMAC. Source: Standard Webhooks specification, "Signature scheme", symmetric."""
    content = f"{callback.id}.{callback.headers['webhook-timestamp']}.".encode() + callback.body
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}" in callback.headers["webhook-signature"].split(" ")


def kept_in(file):
    """The bytes of all records of a file."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return b"\n".join(base64.b64decode(line["record"]) for line in lines[1:-1])


def test_secrets_own_events_and_what_succeeded_move_too(make_world, file):
    """Headers stay sealed, the secret stays itself, and a delivery that succeeded can be sent
    again. An event that was published before the new workers start is delivered by them.
    """
    settings = {"event.types": TYPE, "delivery.succeeded.retention": "1h"}
    with (
        make_world(settings=settings) as old,
        make_world(settings=settings | {"worker.master.key.file": old.master_key}, partitions=MORE_PARTITIONS) as new,
    ):
        worker, tenant, endpoint = newest(old.worker()), old.tenant(), old.receivers.endpoint()
        webhook = old.webhook(tenant, endpoint, events=[TYPE], headers=[HEADER], signatures=["standard-webhooks-hmac"])
        assert old.ask(tenant, commands.rotate_secret(webhook["id"])).status == 201
        secret = old.admin.json("webhook", "secret", "--tenant", tenant, webhook["id"])["secret"]
        old.publish(tenant, TYPE, subject="s-1")
        (first,) = endpoint.wait(1)
        until(lambda: any(value.get("status") == "succeeded" for value in records(old).values()), 20, "its record")
        worker.stop()
        old.admin.ok("state", "export", file)
        content = kept_in(file)
        assert tenant.encode() in content and HEADER["value"].encode() not in content and secret.encode() not in content
        new.admin.ok("state", "import", file)
        assert records(new) == records(old)
        new.publish(tenant, TYPE, subject="s-2")
        newest(new.worker())
        _, second = endpoint.wait(2)
        assert new.ask(tenant, commands.resend(first.id)).status == 202
        *_, third = endpoint.wait(3)
        assert (third.id, third.body) == (first.id, first.body) and second.id != first.id
        for callback in (first, second, third):
            assert callback.headers["x-api-key"] == HEADER["value"] and is_signed(callback, secret)
        assert new.admin.json("webhook", "secret", "--tenant", tenant, webhook["id"])["secret"] == secret


def fill(world):
    """Webhooks and keys of many tenants, as workers would have left them."""
    arguments = (world.bootstrap, f"{world.prefix}webhook-state", world.partitions, RECORDS, world.master_key, f"http://127.0.0.1:{REFUSING_PORT}/")
    answer = run(BIN / "bench_fill_state", *arguments, timeout=120)
    assert answer.code == 0, answer.err


def importing(world, file):
    """An import of what `fill` made that is under way: its first transaction of records is past."""
    client, topic = AdminClient(connection(world.bootstrap)), f"{world.prefix}webhook-state"
    ends = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(world.partitions)}
    written = lambda: sum(future.result(20).offset for future in client.list_offsets(ends).values())
    command = [ADMIN, "--config", world.admin.config, "state", "import", file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    until(lambda: written() > RECORDS / 3, 60, "a third of the records")
    assert process.poll() is None, "it has ended: it needs more records"
    return process


def serves_what_was_filled(worker, world):
    """From an empty replica too: behind the import, and behind a turn."""
    for is_cold in (False, True):
        if is_cold:
            worker.stop()
            worker.forget()
        worker.start()
        assert world.ask("tenant-000000", commands.retrieve_all()).data["data"]
        world.webhook(world.tenant(), world.receivers.endpoint())


def test_an_import_that_was_killed_serves_nobody_and_goes_on(old, new, file):
    fill(old)
    old.admin.ok("state", "export", file)
    process = importing(new, file)
    process.kill()
    assert process.wait(20) == -signal.SIGKILL
    # Ends the transaction that it left open, which a worker would wait for.
    Producer(connection(new.bootstrap) | {"transactional.id": f"{new.settings['group.id']}-state-import"}).init_transactions(30)
    worker = new.worker(ready=False)
    worker.expect_error("records behind the last position: an import is not finished")
    until(lambda: worker.partitions("failed") == list(range(MORE_PARTITIONS)), 30, "all partitions to be torn")
    assert worker.get("/readyz") == (503, "torn\n", "")
    worker.stop()
    wait_left(new)
    answer = new.admin.json("state", "import", file, timeout=120)
    assert answer["records"] == RECORDS and 0 < answer["sent"] < RECORDS
    assert new.admin.json("state", "import", file, timeout=120) == {"records": RECORDS, "sent": 0}
    assert records(new) == records(old)
    serves_what_was_filled(worker, new)


def test_of_two_imports_the_later_goes_on(old, new, file):
    fill(old)
    old.admin.ok("state", "export", file)
    first = importing(new, file)
    first.send_signal(signal.SIGSTOP)
    new.admin.ok("state", "import", file, timeout=120)
    first.send_signal(signal.SIGCONT)
    _, told = first.communicate(timeout=120)
    assert first.returncode == 1 and f"another {new.settings['group.id']}-state-import has begun since" in told, told
    assert records(new) == records(old)
    worker = new.worker()
    worker.stop()
    serves_what_was_filled(worker, new)


def test_a_file_is_its_owners_alone_whatever_was_there(old, file):
    """An export that was killed leaves a part of a file."""
    old.worker()
    old.webhook(old.tenant(), old.receivers.endpoint())
    part = file.with_name(f"{file.name}.part")
    part.write_text("a part of another\n" * 1000)
    part.chmod(0o644)
    with open(part) as reader:
        old.admin.ok("state", "export", file)
        assert file.stat().st_mode & 0o777 == 0o600 and not part.exists()
        assert "a part of another" in reader.read(), "who had it open sees nothing of the state"


def changed(text):
    return text.replace('"tenantId":"', '"tenantId":"x', 1)


BROKEN = {
    "another tenant": (changed, "tenantId is not the record's"),
    "a line less": (lambda text: "\n".join(text.splitlines()[:1] + text.splitlines()[2:]) + "\n", "the number of records is another"),
    "no end": (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "the end is missing"),
    "another head": (lambda text: text.replace('"createdAt":"2', '"createdAt":"1', 1), "the checksum is another"),
    "another version": (lambda text: text.replace('"version":1', '"version":2', 1), "its version is none of this posthorn's"),
    "something behind": (lambda text: text + "{}\n", "it follows the end"),
    "no JSON": (lambda text: "x\n" + text, "it is no JSON object"),
}


def test_a_broken_file_changes_nothing(old, new, file):
    worker, *_ = busy(old)
    worker.stop()
    old.admin.ok("state", "export", file)
    text = file.read_text()
    for name, (breaks, words) in BROKEN.items():
        file.write_text(breaks(text))
        answer = new.admin("state", "import", file)
        assert answer.code == 1 and words in answer.err, (name, answer)
    assert records(new) == {}


def test_what_is_there_is_never_written_over(old, new, file):
    worker, *_ = busy(old)
    old.admin.ok("state", "export", file)
    again = old.admin("state", "export", file)
    assert again.code == 2 and "never written over" in again.err
    into_itself = old.admin("state", "import", file)
    assert into_itself.code == 1 and "no worker may run" in into_itself.err
    worker.stop()
    wait_left(old)
    into_itself = old.admin("state", "import", file)
    assert into_itself.code == 1 and "has been served by worker worker-1" in into_itself.err
    new.worker().stop()
    wait_left(new)
    new.admin.ok("state", "import", file)


def test_a_later_file_is_not_put_on_top_of_an_import(old, new, file):
    """Its records would come behind the positions: every partition that has one would be torn."""
    busy(old)
    before, later = records(old), file.with_name("later.jsonl")
    old.admin.ok("state", "export", file)
    old.webhook(old.tenant(), old.receivers.endpoint())
    old.admin.ok("state", "export", later)
    new.admin.ok("state", "import", file)
    answer = new.admin("state", "import", later)
    assert answer.code == 1 and "an import has ended here, and had no such" in answer.err
    assert records(new) == before
    new.worker()


def test_foreign_records_are_refused(old, new, file):
    worker, *_ = busy(old)
    worker.stop()
    old.admin.ok("state", "export", file)
    lines = file.read_text().splitlines()
    foreign = json.loads(lines[1])
    producer = Producer(connection(new.bootstrap))
    producer.produce(
        f"{new.prefix}webhook-state",
        base64.b64decode(foreign["record"]),
        foreign["key"],
        (partition_of(foreign["tenantId"].encode(), MORE_PARTITIONS) + 1) % MORE_PARTITIONS,
    )
    producer.flush()
    answer = new.admin("state", "import", file)
    assert answer.code == 1 and "holds 1 records that are not of this file" in answer.err


def created_ms(file):
    """When the copy was made, by its head."""
    head = json.loads(file.read_text().splitlines()[0])
    return int(datetime.fromisoformat(head["createdAt"]).timestamp() * 1000)


@pytest.mark.parametrize("way", ["to-datetime", "to-current"])
def test_a_changelog_that_was_lost_comes_back_from_a_backup(make_world, file, way):
    """As docs/operating.md has it. By the time of the copy, all that was done since then is done
    again, with the same ids; otherwise it is undone.
    """
    with make_world(settings=SETTINGS | {"event.types": TYPE}) as old:
        worker, _, answers = busy(old)
        newest(worker)
        tenant, own, endpoint = old.tenant(), old.receivers.endpoint(), old.receivers.endpoint()
        deleted = old.webhook(tenant, own, events=[TYPE])["id"]
        kept = old.webhook(tenant, endpoint)["id"]
        old.publish(tenant, TYPE)
        old.delivered(own.wait(1)[0].id)
        old.admin.ok("state", "export", file)
        before = records(old)
        made = old.webhook(tenant, old.receivers.endpoint(), events=[TYPE])["id"]
        old.issue(tenant)
        (first,) = endpoint.wait(1)
        old.delivered(first.id)
        assert old.ask(tenant, commands.delete(deleted)).status == 204
        worker.stop()
        old.make_changelog_anew()
        wait_left(old)
        old.admin.ok("state", "import", file)
        assert records(old) == before
        set_by_hand(old, created_ms(file) if way == "to-datetime" else None)
        worker.start()
        webhooks = {webhook["id"] for webhook in old.ask(tenant, commands.retrieve_all()).data["data"]}
        if way == "to-datetime":
            assert webhooks == {kept, made}
            assert [request.id for request in endpoint.wait(2)] == [first.id, first.id]
        else:
            assert webhooks == {kept, deleted}
            old.publish(tenant, TYPE)
            own.wait(2)
            assert len(endpoint.requests) == 1
        for each, answer in answers.items():
            id = old.writer.ask(each, commands.rotate_key(), command_id=f"rotate-{each}")
            old.writer.flush()
            *_, repeat = old.results.of(id, ends=2)
            assert (repeat.repeat, repeat.data) == (True, answer.data)
