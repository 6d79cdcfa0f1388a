"""Workers of the release before beside today's: nothing is written that one of them cannot read
(R13).
"""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from env import commands
from env.paths import ROOT
from env.wait import until

TYPE = "DegreeRevoked"
LATER = {"status": 429, "headers": {"retry-after": "3600"}}


@pytest.fixture(scope="session")
def released():
    answer = subprocess.run([ROOT / "tests/released", "0.1.0"], capture_output=True, text=True, timeout=1800, check=False)
    if answer.returncode:
        pytest.skip(f"0.1.0 is not built: {answer.stderr.strip().splitlines()[-1]}")
    return Path(answer.stdout.strip())


@pytest.fixture
def pool(fresh_world):
    return fresh_world


def newer(pool, id="worker-1"):
    """0.1.0 knows no event.types."""
    return pool.worker(id, event_types=TYPE)


def knows(worker, older):
    """Until the worker knows how many of the group are older."""
    worker.wait_metric(older, "posthorn_group_older_workers", timeout=40)


class Load:
    """Webhooks and issuances all the while, none of them with anything new."""

    def __init__(self, world, receivers):
        self.world = world
        self.tenants, self.endpoints = [], {}
        for _ in range(6):
            tenant, endpoint = world.tenant(), receivers.endpoint()
            self.tenants.append(tenant)
            self.endpoints[tenant] = endpoint
            world.webhook(tenant, endpoint)
        self.ids = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        n = 0
        while not self.stopping.wait(0.02):
            self.ids.append(self.world.writer.issuance(commands.issuance(self.tenants[n % len(self.tenants)])))
            self.world.writer.producer.poll(0)
            n += 1

    def end(self):
        """Each issuance was answered once, and its delivery ended once, with success."""
        self.stopping.set()
        self.thread.join()
        self.world.writer.flush()
        for id in self.ids:
            assert self.world.results.end(id, timeout=90).status == 200
        until(lambda: self.world.results.poll() or all(types[-1] == "WEBHOOK_EVENT_PROCESS_SUCCESS" for types in self.ended()), 90, "all deliveries to end")
        assert len(self.ended()) == len(self.ids)
        assert all(types.count("WEBHOOK_EVENT_PROCESS_SUCCESS") == 1 for types in self.ended())

    def ended(self):
        return [types for tenant in self.tenants for types in self.world.results.deliveries(tenant).values()]


def torn(worker):
    return worker.partitions("failed")


def test_a_pool_is_upgraded_and_rolled_back_under_load(pool, receivers, released):
    """One worker at a time, each killed and started again with the other program, both ways."""
    workers = [pool.released(released, f"worker-{n}") for n in (1, 2, 3)]
    load = Load(pool, receivers)
    for n in (1, 2, 3):
        workers[n - 1].kill()
        workers[n - 1] = pool.worker(f"worker-{n}")
        knows(workers[n - 1], 3 - n)
    assert not any(map(torn, workers))
    for n in (1, 2, 3):
        workers[n - 1].kill()
        workers[n - 1] = pool.released(released, f"worker-{n}")
    assert not any(map(torn, workers))
    load.end()


def tenant_of(pool, worker, endpoint):
    """One that the worker serves, with a webhook."""
    while True:
        tenant = pool.tenant()
        value = commands.command(tenant, commands.create(endpoint.url))
        partition, _ = pool.writer.place("webhook-admin", tenant, pool.schemas.command.encode(value))
        assert pool.results.end(value["commandId"]).status == 201
        if partition in worker.partitions():
            return tenant


def without_older(old, new):
    """Ends the older worker, and waits until the newer one knows."""
    old.stop()
    until(lambda: new.metric("posthorn_group_older_workers") == 0, 60, "the older worker to be gone from the group")


def test_nothing_newer_is_written_while_one_is_older(pool, receivers, released):
    old, new = pool.released(released, "worker-1"), newer(pool, "worker-2")
    knows(new, 1)
    endpoint = receivers.endpoint()
    tenant = tenant_of(pool, new, endpoint)
    refused = commands.command(tenant, commands.create(endpoint.url, description="new"))
    pool.writer.command(refused)
    pool.writer.flush()
    end = pool.results.end(refused["commandId"])
    assert (end.status, end.data["details"][0]["param"], end.data["details"][0]["value"]) == (503, "workers", "worker-1")
    published = pool.publish(tenant, TYPE)
    for _ in range(3):
        assert pool.ask(tenant, commands.retrieve_all()).status == 200, "other commands do not"
    assert not pool.results.by_command[published], "events of one's own wait"
    without_older(old, new)
    pool.results.end(published, timeout=40)
    pool.writer.command(refused)
    pool.writer.flush()
    again = pool.results.of(refused["commandId"], ends=2)[-1]
    assert (again.status, again.repeat, again.data["description"]) == (201, False, "new"), "a 503 leaves no receipt"


def put_off(pool, tenant):
    """The event of the tenant's one delivery that is to be tried again later."""
    id = pool.issue(tenant, credential_id="c-1")
    assert pool.results.end(id).status == 200
    (delivery,) = pool.results.wait(lambda: pool.results.deliveries(tenant), 20, "the delivery")
    return pool.delivered(delivery, "WEBHOOK_EVENT_RETRY")[-1]


def test_a_history_of_both_releases(pool, receivers, released):
    """Nothing is sent again, and no notice is subscribed to, while one worker is older; a gateway
    tells of the deliveries of both.
    """
    old, new = pool.released(released, "worker-1"), newer(pool, "worker-2")
    knows(new, 1)
    endpoints = [receivers.endpoint().answers(LATER, 200) for _ in range(2)]
    tenants = [tenant_of(pool, worker, endpoint) for worker, endpoint in zip((old, new), endpoints, strict=True)]
    waiting = [put_off(pool, tenant) for tenant in tenants]
    assert not any(event.data.get("subject") or event.data.get("response") for event in waiting)
    resend = commands.resend(str(waiting[1].data["deliveryId"]))
    for newer_command in (resend, commands.create(endpoints[1].url, events=["DeliveryDead"])):
        refused = pool.ask(tenants[1], newer_command)
        assert (refused.status, refused.data["details"][0]["param"]) == (503, "workers")
    without_older(old, new)
    gateway = pool.gateway(event_types=TYPE)
    for tenant, event in zip(tenants, waiting, strict=True):
        id = str(event.data["deliveryId"])
        assert pool.ask(tenant, commands.resend(id)).status == 202
        assert pool.delivered(event.data["deliveryId"])[-1].data["subject"] == "c-1"
        client = pool.client(gateway, tenant)
        until(lambda client=client, id=id: client("GET", f"/v1/deliveries/{id}").json["status"] == "succeeded", 20, "the history")
        told = client("GET", f"/v1/deliveries/{id}").json
        assert [attempt["status"] for attempt in told["attempts"]] == [429, 200] and "createdAt" in told
        assert [d["id"] for d in client("GET", "/v1/deliveries?subject=c-1").json["data"]] == [id]
        lines = pool.admin.ok("trace", "--tenant", tenant, "--follow", "c-1").splitlines()
        steps = [" recorded: ", " failed: attempt 1, status-429", " is resent", " succeeded: attempt 2, status 200"]
        assert len(lines) == 2 + len(steps) and all(f"delivery {id}{step}" in line for step, line in zip(steps, lines[2:], strict=True)), lines


def test_an_older_worker_serves_what_a_newer_one_refused(pool, released):
    """It knows no command of no known operation, and no JSON."""
    new, tenant, id = pool.worker(), pool.tenant(), commands.unique("command")
    value = commands.envelope(tenant, id) | {"operation": {"type": "PauseWebhook"}}
    pool.writer.place("webhook-admin", tenant, json.dumps(value).encode())
    assert (pool.results.end(id).type, pool.results.end(id).status) == ("WEBHOOK_COMMAND_FAIL", 400)
    new.stop()
    old = pool.released(released, "worker-1")
    assert (torn(old), len(old.partitions())) == ([], pool.partitions)


def test_an_older_worker_makes_a_dead_letter_of_a_later_edition(pool, schemas, released):
    """So producers get the new schema files last; docs/operating.md says so."""
    pool.released(released)
    tenant = pool.tenant()
    value = commands.command(tenant, commands.create("http://127.0.0.1:9/hook"))
    later = schemas.command.frame + schemas.command.bare(value)
    partition, offset = pool.writer.place("webhook-admin", tenant, later)
    assert pool.dead_letters.of(pool.prefix + "webhook-admin", offset, partition).reason
    assert not pool.results.by_command[value["commandId"]]
    assert pool.ask(tenant, commands.retrieve_all()).status == 200, "the partition goes on"


def test_what_uses_nothing_new_has_the_bytes_of_the_first_edition(pool, receivers):
    newer(pool)
    tenant = pool.tenant()
    pool.webhook(tenant, receivers.endpoint())
    issued = pool.results.end(pool.issue(tenant))
    (id,) = pool.results.deliveries(tenant)
    pool.delivered(id)
    pool.state.catch_up()
    frames = {value[:10] for key, value in pool.state.values.items() if tenant in str(key)}
    assert (issued.status, frames) == (200, {pool.schemas.state.first.frame})


def test_a_replica_of_the_release_is_made_anew(pool):
    folder = pool.directory / "worker-1/data"
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy(ROOT / "tests/vectors/released-0.1.0/replica.db", folder)
    worker = pool.worker()
    assert "the replica is made anew" in worker.log.read_text()
    assert pool.ask(pool.tenant(), commands.retrieve_all()).status == 200
