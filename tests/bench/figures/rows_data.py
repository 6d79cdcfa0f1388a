"""Rows about how much data there is: h, restore; j, the cost of an item beside more and more
webhooks; k, start and size.
"""

import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from env import commands
from env.paths import WORKER

from . import restore
from .rows_worker import Bench
from .senders import engine
from .stand import make_world, stand

SIZES = (100, 10_000, 1_000_000)
RISE_MOST = 1.2
PORTS, ACTIVE_TENANTS, TENANT_WEBHOOKS, TENANT_RECORDS = 16, 20, 5, 6
IDLE_REST_S = 2


def row_h(run):
    with make_world(broker=run.broker, partitions=run.partitions) as world:
        restore.measure(world, run.size(1_000_000, least=1000), run.repeats, run.figures("h"))


# j: the items are the same, of the same few tenants; the number of webhooks beside them grows.


def row_j(run):
    sizes = [run.size(size, least=SIZES[0]) for size in SIZES]
    engine_rises(run, sizes)
    with ExitStack() as stack:
        benches = [filled(run, stack, size) for size in sizes]
        deliveries = [[] for _ in sizes]
        operations = [[] for _ in sizes]
        for _ in range(run.repeats + 1):
            for n, bench in enumerate(benches):
                deliveries[n].append(bench.deliver(run.size(20_000, least=ACTIVE_TENANTS)).cpu_us)
                operations[n].append(bench.operate(run.size(15_000)).cpu_us)
    # The first of each is the warm-up.
    show_rises(run, "delivery_of_a_worker", [found[1:] for found in deliveries])
    show_rises(run, "admin_command", [found[1:] for found in operations])


def engine_rises(run, sizes):
    """Of the engine alone: as many webhooks as it has deliveries for, at most."""
    options = dict(deliveries=run.size(20_000), hosts=16)
    ports = run.receiver.open(PORTS)
    found = [[engine(ports, webhooks=size, **options)["cpu_us_per_delivery"] for size in sizes] for _ in range(run.repeats)]
    show_rises(run, "delivery_of_the_engine", list(zip(*found)))


def show_rises(run, what, found):
    smallest = found[0]
    run.table.add("j", f"cpu_us_{what}_{SIZES[0]}_webhooks", list(smallest), "us")
    for size, values in zip(SIZES[1:], found[1:]):
        ratios = [value / least for value, least in zip(values, smallest)]
        run.table.add("j", f"{what}_{size}_webhooks_vs_{SIZES[0]}", ratios, most=RISE_MOST)


def filled(run, stack, size):
    """A world with that many webhooks, its worker, and a few tenants of it, spread evenly, whose
    items are measured.
    """
    on = stack.enter_context(stand(broker=run.broker, partitions=run.partitions))
    ports = on.receiver.open(PORTS)
    count = size // TENANT_WEBHOOKS
    restore.fill(on.world, count * TENANT_RECORDS, [f"http://127.0.0.1:{port}/hook" for port in ports])
    on.start(ready=False)
    on.worker.wait_ready(timeout=300)
    tenants = [f"tenant-{n * count // ACTIVE_TENANTS:06}" for n in range(ACTIVE_TENANTS)]
    return Bench(run, on, first_webhooks(on.world, tenants), ports)


def first_webhooks(world, tenants):
    """{tenant: the id of the one that is enabled}"""
    asked = {tenant: world.writer.ask(tenant, commands.retrieve_all()) for tenant in tenants}
    world.writer.flush()
    ends = {tenant: world.results.end(id, timeout=60) for tenant, id in asked.items()}
    return {tenant: next(one["id"] for one in end.data["data"] if not one["disabled"]) for tenant, end in ends.items()}


# k


def row_k(run):
    """The first start is that of a group that has committed nothing yet; a cold one has no file, a
    warm one has.
    """
    with stand(broker=run.broker, partitions=run.partitions) as on:
        begun = time.monotonic()
        on.start()
        first = time.monotonic() - begun
        Bench(run, on).deliver(run.size(2_000))  # so that there is something in each partition
        on.worker.stop()
        on.worker.forget()
        cold, warm = [], []
        for _ in range(run.repeats):
            cold.append(restore.start_until_ready(on.worker, 0.005))
            on.worker.stop()
            warm.append(restore.start_until_ready(on.worker, 0.005))
            on.worker.stop()
            on.worker.forget()
        restore.start_until_ready(on.worker, 0.005)
        time.sleep(IDLE_REST_S)
        memory = on.memory()
    run.table.add("k", "first_start_to_ready", first, "s")
    run.table.add("k", "cold_start_to_ready", cold, "s")
    run.table.add("k", "warm_start_to_ready", warm, "s", most=1)
    run.table.add("k", "idle_memory", memory, "MiB", most=40)
    run.table.add("k", "binary_size", stripped_size(WORKER) / 2**20, "MiB")


def stripped_size(program):
    """Without what is for debuggers."""
    with tempfile.TemporaryDirectory(prefix="posthorn-bench.") as directory:
        copy = Path(directory) / "program"
        subprocess.run(["strip", "-o", copy, program], check=True)
        return copy.stat().st_size
