"""From a command on Kafka to its callback at the endpoint, on an idle system."""

import time

import pytest
from env.report import percentile
from env.sanitizer import SANITIZED

COMMANDS, WARM_UP = 200, 20
P50_MS = 30


@pytest.mark.alone
@pytest.mark.skipif(SANITIZED, reason="a sanitizer is slow, and this judges speed")
def test_idle_latency(world, report):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    latencies = []
    for n in range(WARM_UP + COMMANDS):
        start = time.time()
        world.issue(tenant)
        request = endpoint.wait(n + 1)[n]
        latencies.append((request.time - start) * 1000)
        world.delivered(request.id)
    latencies = latencies[WARM_UP:]
    p50, p99 = percentile(latencies, 50), percentile(latencies, 99)
    report(f"command to callback, idle: p50 {p50:.1f} ms, p99 {p99:.1f} ms, largest {max(latencies):.1f} ms of {COMMANDS}")
    assert p50 < P50_MS
