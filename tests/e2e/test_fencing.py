"""Workers that others have replaced: they send nothing, write nothing, and hold nobody up."""

import signal
import time

from confluent_kafka import Producer
from env import commands
from env.kafka import connection
from env.wait import until

SESSION_S = 6
QUICK = {"kafka_session_timeout_ms": SESSION_S * 1000}
DELIVERIES = 60


def active(worker):
    return sum('state="active"' in series for series in worker.metrics())


def test_a_worker_that_was_stopped_sends_nothing_when_it_wakes(fresh_world):
    """Its queue is full, its gates are open, and another has delivered everything in them."""
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint().answers({"status": 200, "delay": 0.1})
    zombie = world.worker("worker-1", delivery_max_in_flight_per_endpoint=1, **QUICK)
    world.webhook(tenant, endpoint)
    for _ in range(DELIVERIES):
        world.issue(tenant)
    endpoint.wait(5)
    zombie.process.send_signal(signal.SIGSTOP)
    heir = world.worker("worker-2", ready=False, **QUICK)
    world.results.wait(lambda: world.results.counts["WEBHOOK_EVENT_PROCESS_SUCCESS"] == DELIVERIES, 60, "the heir's deliveries")
    sent = len(endpoint.requests)
    zombie.process.send_signal(signal.SIGCONT)
    until(lambda: 0 < active(heir) < world.partitions and active(zombie) + active(heir) == world.partitions, 30, "the pool shares again")
    for _ in range(5):
        world.issue(tenant)
    endpoint.wait(sent + 5)
    assert len(endpoint.requests) == sent + 5
    assert {request.id for request in endpoint.requests} == world.results.catch_up().by_delivery.keys()


def test_a_dead_workers_transaction_is_ended(fresh_world, report):
    """It died with a transaction open: others do not wait for the coordinator's timeouts."""
    world = fresh_world
    tenant = world.tenant()
    dead = world.worker("worker-1", **QUICK)
    webhook = world.ask(tenant, commands.create("http://127.0.0.1:9/")).data
    dead.kill()
    died = time.monotonic()
    left_open = Producer({
        **connection(world.bootstrap), "transactional.id": f"{world.settings['group.id']}-worker-1", "transaction.timeout.ms": 60_000,
    })  # fmt: skip
    left_open.init_transactions(20)
    left_open.begin_transaction()
    for partition in range(world.partitions):
        left_open.produce(world.prefix + "webhook-state", b"no record", b"nor a value", partition)
    left_open.flush(10)
    heir = world.worker("worker-2", ready=False, **QUICK)
    assert world.ask(tenant, commands.retrieve(webhook["id"])).data["id"] == webhook["id"]
    report(f"commands of a worker that died in a transaction went on after {time.monotonic() - died:.1f} s, session timeout {SESSION_S} s")
    assert time.monotonic() - died < SESSION_S + 5
    heir.stop()
