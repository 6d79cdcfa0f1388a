"""A hundred thousand callbacks by one worker (a tenth of them under a sanitizer), all verified by
code that is not ours.
"""

import time
from collections import Counter

import pytest
from env import bulk, commands
from env.sanitizer import SANITIZED
from env.wait import until

COMMANDS, TENANTS, ENDPOINTS = 10_000 if SANITIZED else 100_000, 200, 16
DEADLINE_S = 240


@pytest.mark.alone
def test_a_hundred_thousand(fresh_world, report):
    world = fresh_world
    worker = world.worker()
    tenants = [world.tenant("load") for _ in range(TENANTS)]
    endpoints = {tenant: world.receivers.endpoint("load", port=n % ENDPOINTS) for n, tenant in enumerate(tenants)}
    created = [world.writer.ask(tenant, commands.create(endpoint.url)) for tenant, endpoint in endpoints.items()]
    world.writer.flush()
    assert {world.results.end(id, timeout=60).status for id in created} == {201}

    start, (cpu, _) = time.monotonic(), worker.usage()
    for n in range(COMMANDS):
        world.writer.issuance(commands.issuance(tenants[n % TENANTS], user_id=f"user-{n}"))
    world.writer.flush()
    produced = time.monotonic() - start
    until(lambda: world.receivers.count("/load-") >= COMMANDS, DEADLINE_S, "the callbacks")
    arrived = time.monotonic() - start
    worker.wait_metric(0, "posthorn_deliveries_pending", timeout=60)
    wall, (cpu_end, peak) = time.monotonic() - start, worker.usage()
    report(f"{COMMANDS} callbacks for {TENANTS} tenants: {wall:.1f} s, {COMMANDS / wall:.0f} a second")
    report(f"of that: the last command produced after {produced:.1f} s, the last callback after {arrived:.1f} s")
    report(f"worker: {(cpu_end - cpu) / COMMANDS * 1e6:.0f} µs CPU a delivery, peak memory {peak:.0f} MiB")

    worker.stop()
    check_results(world)
    assert not world.state.kind("delivery"), "nothing pending in the changelog"
    check_callbacks(world, endpoints, report)
    assert world.admin.dump() == world.admin.dump(worker.replica)


def check_results(world):
    results = world.results.catch_up(timeout=120)
    assert len({event.id for event in results.events}) == len(results.events), "no event id twice"
    assert results.counts["OPENID_CREDENTIAL_SUCCESS"] == COMMANDS
    assert {tuple(event.type for event in events) for events in results.by_delivery.values()} == {("WEBHOOK_EVENT_RECEIVE", "WEBHOOK_EVENT_PROCESS_SUCCESS")}
    assert len(results.by_delivery) == COMMANDS


def check_callbacks(world, endpoints, report):
    keys = {endpoint.path: world.state.jwks(tenant) for tenant, endpoint in endpoints.items()}
    start = time.monotonic()
    seen = bulk.verify_all(world.receivers.records, keys)
    report(f"{seen.total()} callbacks verified with http-message-signatures and Standard Webhooks in {time.monotonic() - start:.0f} s")
    assert Counter(seen.values()) == {1: COMMANDS} and seen.keys() == world.results.by_delivery.keys()
