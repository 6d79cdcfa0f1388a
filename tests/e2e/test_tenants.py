"""One tenant's many and costly commands, and their effect on others."""

import signal
from statistics import median

import pytest
from env import commands

WEBHOOKS = 300
FANOUT_WEBHOOKS, FANOUTS = 100, 12
CREDENTIAL_BYTES = 200_000
URL = "http://127.0.0.1:9/" + 1900 * "x"


def tenant_elsewhere(world, partition):
    """One whose commands are in another partition."""
    while True:
        tenant = world.tenant()
        value = commands.command(tenant, commands.retrieve_all())
        placed, _ = world.writer.place("webhook-admin", tenant, world.schemas.command.encode(value))
        world.results.end(value["commandId"])
        if placed != partition:
            return tenant


@pytest.fixture
def flooding(fresh_world):
    """A tenant with much of everything, another one elsewhere, and their worker."""
    world = fresh_world
    worker, tenant = world.worker(), world.tenant("flooding")
    made = [world.writer.ask(tenant, commands.create(URL, disabled=True)) for _ in range(WEBHOOKS)]
    world.writer.flush()
    assert {world.results.end(id).status for id in made} == {201}
    value = commands.command(tenant, commands.retrieve_all(limit=1))
    partition, _ = world.writer.place("webhook-admin", tenant, world.schemas.command.encode(value))
    world.results.end(value["commandId"])
    return world, worker, tenant, tenant_elsewhere(world, partition)


# How a flood is asked for, and how many of it: so many that handling them takes far longer than
# it takes to fetch the other's command.
FLOODS = {
    "pages": (lambda world, tenant: world.writer.ask(tenant, commands.retrieve_all(limit=1000)), 200),
    "rotations": (lambda world, tenant: world.writer.ask(tenant, commands.rotate_key()), 200),
    "issuances": (lambda world, tenant: world.writer.issuance(commands.issuance(tenant)), 3000),
    "refused": (lambda world, tenant: world.writer.ask(tenant, commands.create("nowhere")), 3000),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_in_one_partition_keeps_no_other_waiting(flooding, kind):
    """A command behind a whole backlog is handled among the first."""
    world, worker, tenant, other = flooding
    ask, count = FLOODS[kind]
    worker.process.send_signal(signal.SIGSTOP)
    flood = [ask(world, tenant) for _ in range(count)]
    world.writer.flush()
    asked = world.writer.ask(other, commands.retrieve_all())
    world.writer.flush()
    worker.process.send_signal(signal.SIGCONT)
    answered = world.results.end(asked).milliseconds
    assert answered <= median(world.results.end(id, timeout=60).milliseconds for id in flood)


def test_between_large_fanouts_every_partition_is_served(fresh_world):
    """Each issuance makes 20 MB of deliveries, more than a turn writes: it has a turn of its own,
    and other tenants' commands go between two of them.
    """
    world = fresh_world
    worker, tenant = world.worker(), world.tenant("flooding")
    made = [world.writer.ask(tenant, commands.create(f"http://127.0.0.1:9/{n}")) for n in range(FANOUT_WEBHOOKS)]
    world.writer.flush()
    assert {world.results.end(id).status for id in made} == {201}
    others = [world.tenant() for _ in range(24)]
    worker.process.send_signal(signal.SIGSTOP)
    fanouts = [world.writer.issuance(commands.issuance(tenant, credential="x" * CREDENTIAL_BYTES)) for _ in range(FANOUTS)]
    world.writer.flush()
    asked = [world.writer.ask(other, commands.retrieve_all()) for _ in range(5) for other in others]
    world.writer.flush()
    worker.process.send_signal(signal.SIGCONT)
    handled = [world.results.end(id, timeout=60).milliseconds for id in fanouts]
    answered = [world.results.end(id, timeout=60).milliseconds for id in asked]
    before = [sum(at < answered_at for at in handled) for answered_at in answered]
    assert max(before) <= FANOUTS / 2, "those that are handled before the asks are fetched, and one or two between them"
