"""Workers that stop, die, and lose their files: nothing is lost, and no event is there twice."""

import signal

import pytest
from env import commands
from env.load import Load
from env.paths import BIN
from env.programs import run
from env.wait import until

HOUR = "1h"


def fill_state(world, records):
    """As a worker would have left it."""
    answer = run(BIN / "bench_fill_state", world.bootstrap, world.prefix + "webhook-state", world.partitions, records, world.master_key)
    assert answer.code == 0, answer.err


def test_processing_goes_on_where_it_stopped(fresh_world):
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    worker = world.worker()
    world.webhook(tenant, endpoint)
    world.results.end(world.issue(tenant))
    world.delivered(endpoint.wait()[0].id)
    worker.stop()
    waiting = [world.issue(tenant) for _ in range(20)]
    worker.start()
    assert {world.results.end(id).status for id in waiting} == {200}
    endpoint.wait(21)
    worker.stop()
    world.results.catch_up()
    assert len(endpoint.requests) == len({request.id for request in endpoint.requests}) == 21
    assert all(len(events) == 2 for events in world.results.by_command.values())


def test_a_retry_survives_a_restart(fresh_world):
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint().answers(500, 200)
    worker = world.worker(delivery_retry_schedule="3s", delivery_retry_jitter=0)
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    first = endpoint.wait()[0]
    world.results.wait(lambda: len(world.results.by_delivery[first.id]) == 2, what="the retry")
    worker.kill()
    worker.start()
    world.delivered(first.id)
    second = endpoint.requests[1]
    assert second.id == first.id and 2.9 < second.time - first.time < 30


def grow_batch(world, tenant, commands_in_turn=64):
    """A batch begins with one command and doubles with each that was full."""
    asked = [world.writer.ask(tenant, commands.retrieve_all()) for _ in range(4 * commands_in_turn)]
    world.writer.flush()
    assert {world.results.end(id).status for id in asked} == {200}


def test_what_was_recorded_together_with_its_webhooks_end_is_not_sent(fresh_world):
    """A batch that piled up: the webhook is deleted in the same transaction that records its
    deliveries. How many of them, is a matter of time.
    """
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    worker = world.worker()
    grow_batch(world, tenant)

    def recorded_with_the_end():
        webhook = world.webhook(tenant, endpoint)
        worker.process.send_signal(signal.SIGSTOP)
        # Answers the fetch that waits at the broker; the next one gets the rest as a whole.
        world.writer.ask(tenant, commands.retrieve_all())
        world.writer.flush()
        for _ in range(20):
            world.writer.ask(tenant, commands.send_test(webhook["id"]))
        deletion = world.writer.ask(tenant, commands.delete(webhook["id"]))
        world.writer.flush()
        worker.process.send_signal(signal.SIGCONT)
        assert world.results.end(deletion).type == "WEBHOOK_DELETE_SUCCESS"
        together = world.state.written_together(f"webhook/{tenant}/{webhook['id']}")
        return [key.rpartition("/")[2] for key, has_value in together if has_value and key.startswith("delivery/")]

    together = until(recorded_with_the_end, what="deliveries that are recorded together with the end of their webhook")

    def failed():
        events = [world.results.by_delivery[id] for id in together]
        return all(told and told[-1].type == "WEBHOOK_EVENT_PROCESS_FAIL" for told in events)

    world.results.wait(failed, what="the end of all that were recorded")
    assert not {request.id for request in endpoint.requests} & set(together)


def full_of_everything(world):
    """Webhooks of many tenants, keys, receipts, pending and dead deliveries."""
    good, bad = world.receivers.endpoint(), world.receivers.endpoint().answers(500)
    tenants = [world.tenant() for _ in range(12)]
    for n, tenant in enumerate(tenants):
        world.webhook(tenant, good)
        world.webhook(tenant, bad)
        world.ask(tenant, commands.create("nowhere"))
        if n % 3 == 0:
            world.ask(tenant, commands.rotate_key())
    ids = [world.issue(tenant) for tenant in tenants]
    for id in ids:
        world.results.end(id)
    good.wait(len(tenants))
    bad.wait(len(tenants))
    deliveries = world.results.by_delivery
    world.results.wait(lambda: sum(len(events) > 1 for events in deliveries.values()) == 2 * len(tenants), what="first outcomes")
    return tenants


@pytest.mark.parametrize("schedule, left", [(HOUR, "pending"), ("1ms", "dead")])
def test_the_replica_can_be_deleted(fresh_world, schedule, left):
    world = fresh_world
    worker = world.worker(delivery_retry_schedule=schedule)
    tenants = full_of_everything(world)
    until(lambda: {d["status"] for d in world.state.kind("delivery").values()} == {left}, what=f"only {left} deliveries")
    worker.stop()
    dump = world.admin.dump()
    assert dump == world.admin.dump(worker.replica)
    kinds = {line.split('"type":"')[1].split('"')[0] for line in dump.splitlines()}
    assert kinds == {"Webhook", "SigningKey", "Delivery", "Receipt", "Position"}
    worker.forget()
    worker.start()
    assert world.admin.dump(worker.replica) == dump, "restored while it runs"
    worker.stop()
    assert world.admin.dump(worker.replica) == dump == world.admin.dump()
    assert len([line for line in dump.splitlines() if f'"status":"{left}"' in line]) == len(tenants)


def test_a_restore_that_dies_halfway_is_begun_again(fresh_world):
    """Of a changelog that is large enough for the replica to be filled without a journal."""
    world = fresh_world
    fill_state(world, 60_000)
    worker = world.worker(ready=False)
    for _ in range(3):
        until(lambda: worker.replica.exists() and worker.replica.stat().st_size > 1 << 20, what="rows in the replica", timeout=60)
        worker.kill()
        worker.start(ready=False)
    worker.wait_ready()
    worker.stop()
    assert world.admin.dump() == world.admin.dump(worker.replica)


def test_a_warm_restart_reads_only_what_is_new(fresh_world):
    world = fresh_world
    tenant = world.tenant()
    worker = world.worker()
    ids = [world.writer.ask(tenant, commands.create("http://127.0.0.1:9/")) for _ in range(500)]
    world.writer.flush()
    for id in ids:
        world.results.end(id)
    world.wait_in_replica(worker)
    worker.kill()
    worker.start()
    assert worker.metric("posthorn_restored_records_total") < 100
    assert len(world.ask(tenant, commands.retrieve_all(limit=1000)).data["data"]) == 500
    worker.stop()
    assert world.admin.dump() == world.admin.dump(worker.replica)


COMMANDS = 5000


def test_one_is_stopped_and_the_other_killed_under_load(fresh_world, report):
    world = fresh_world
    quick = {"kafka_session_timeout_ms": 6000}
    one, two = world.worker("worker-1", **quick), world.worker("worker-2", **quick)
    load = Load(world)
    load.send(COMMANDS // 3)
    load.wait_arrived(COMMANDS // 10)
    one.stop()
    load.send(COMMANDS // 3)
    one.start(ready=False)
    load.wait_arrived(COMMANDS // 2)
    load.send(COMMANDS - len(load.sent))
    two.kill()
    world.results.wait(load.finished, 120, "every delivery's end")
    two.start()
    one.stop()
    two.stop()

    load.check()
    again = load.arrived() - COMMANDS
    report(f"{COMMANDS} deliveries over one SIGTERM and one kill -9: all delivered, {again} callbacks came again with the same id")


PENDING = 6000


def test_a_rebalance_while_deliveries_are_withdrawn(fresh_world):
    """A cancellation in a partition that has another owner would tear the changelog."""
    world = fresh_world
    tenants = [world.tenant() for _ in range(24)]
    quick = {"kafka_session_timeout_ms": 6000, "delivery_timeout": "60s", "delivery_max_in_flight_per_endpoint": 1}
    one = world.worker("worker-1", **quick)
    endpoints = {tenant: world.receivers.endpoint().answers({"hang": True}) for tenant in tenants}
    webhooks = {tenant: world.webhook(tenant, endpoint) for tenant, endpoint in endpoints.items()}
    for n in range(PENDING):
        world.writer.issuance(commands.issuance(tenants[n % len(tenants)]))
    world.writer.flush()
    world.results.wait(lambda: world.results.counts["WEBHOOK_EVENT_RECEIVE"] == PENDING, 60, "everything recorded")
    two = world.worker("worker-2", ready=False, **quick)
    for tenant, webhook in webhooks.items():
        world.ask(tenant, commands.delete(webhook["id"]))
    ended = lambda: world.results.counts["WEBHOOK_EVENT_PROCESS_FAIL"] >= PENDING - len(tenants)
    world.results.wait(ended, 30, "everything withdrawn, whatever is in flight")
    one.kill()
    two.kill()
    fresh = world.worker("worker-3", **quick)
    active = lambda: sum('state="active"' in series for series in fresh.metrics())
    until(lambda: active() == world.partitions, 30, "the others' partitions, once the group has given them up")
    fresh.stop()
    results = world.results.catch_up()
    ids = [event.id for event in results.events]
    assert len(ids) == len(set(ids)), "nothing was ended twice"
    assert world.admin.dump() == world.admin.dump(fresh.replica)


def test_records_deleted_before_they_were_read_are_counted(fresh_world):
    """A retention that ran past a worker that was away."""
    world = fresh_world
    worker, tenant = world.worker(), world.tenant()
    value = world.schemas.command.encode(commands.command(tenant, commands.retrieve_all()))
    partition, first = world.writer.place("webhook-admin", tenant, value)
    worker.wait_metric(1, "posthorn_commands_total", topic="webhook-admin")
    assert worker.metric("posthorn_records_lost_total") == worker.metric("posthorn_inputs_lost_total") == 0
    worker.stop()
    for _ in range(5):
        _, last = world.writer.place("webhook-admin", tenant, value)
    world.delete_records("webhook-admin", partition, last + 1)
    worker.expect_error("the records to be read next are not there")
    worker.start()
    assert world.ask(tenant, commands.retrieve_all()).status == 200
    assert worker.metric("posthorn_records_lost_total", topic="webhook-admin") == last - first
    assert worker.metric("posthorn_inputs_lost_total", topic="webhook-admin") == 1
    assert worker.metric("posthorn_records_lost_total", topic="credential-issuance") == 0
