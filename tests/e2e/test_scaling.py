"""A pool that grows, shrinks and changes: the shares of its members, and that nothing is lost or
doubled on the way.
"""

import re

import pytest
from confluent_kafka import Producer
from env.kafka import connection
from env.load import Load
from env.wait import until


def wait_shared(workers, each, step=None):
    until(lambda: all(len(worker.partitions()) == each for worker in workers), 60, f"{each} partitions for each worker", step)


def test_two_workers_share_the_partitions(fresh_world):
    world = fresh_world
    workers = [world.worker(f"worker-{n}") for n in (1, 2)]
    load = Load(world)
    load.send(400)
    load.finish()
    counts = [worker.metric("posthorn_deliveries_total", outcome="succeeded") for worker in workers]
    assert sum(counts) == 400 and min(counts) > 0


def test_workers_that_are_added_take_their_share(fresh_world):
    """Under load; the members before run on."""
    world = fresh_world
    first = world.worker("worker-1")
    load = Load(world)
    load.send(400)
    workers = [first, *(world.worker(f"worker-{n}", ready=False) for n in (2, 3, 4))]
    wait_shared(workers, 1, step=lambda: (load.send(5), world.results.poll()))
    one_too_many = world.worker("worker-5")
    assert not one_too_many.partitions() and all(worker.running for worker in workers)
    load.send(400)
    load.finish()
    load.check()
    for worker in [*workers, one_too_many]:
        worker.stop()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_who_is_back_in_time_keeps_partitions_and_replica(fresh_world, end):
    world = fresh_world
    workers = [world.worker(f"worker-{n}") for n in (1, 2)]
    wait_shared(workers, 2)
    load = Load(world)
    load.send(400)
    load.finish()
    other, comes_back = workers
    world.wait_in_replica(comes_back)
    kept, known, seen = comes_back.partitions(), len(comes_back.log.read_text()), len(other.log.read_text())
    getattr(comes_back, end)()
    comes_back.start()
    restored = re.findall(r"partition restored.* records=(\d+)", comes_back.log.read_text()[known:])
    assert comes_back.partitions() == kept and restored == ["1", "1"], "of each no more than the position that its replica reflects"
    load.send(400)
    load.finish()
    load.check()
    assert "partitions" not in other.log.read_text()[seen:], "no rebalance for the others"


def test_the_newer_of_two_with_one_id_takes_over(fresh_world):
    """A worker that was started twice: the older one says so, once, and ends with a code of its
    own.
    """
    world = fresh_world
    older = world.worker("older", worker_id="worker-1")
    older.expect_error("another worker with this worker.id took over")
    load = Load(world)
    load.send(1000)
    newer = world.worker("newer", ready=False, worker_id="worker-1")
    load.send(1000)
    assert older.wait_end() == 4
    newer.wait_ready()
    load.finish()
    load.check()
    assert older.log.read_text().count("level=error") == 1
    newer.stop()


def test_partitions_that_are_ready_do_not_wait_for_others(fresh_world):
    """One is held back by another producer's open transaction on its changelog: the others'
    commands and deliveries go on.
    """
    world = fresh_world
    worker = world.worker()
    tenants, endpoints = world.in_every_partition()
    worker.stop()
    held = Producer({**connection(world.bootstrap), "transactional.id": world.prefix + "stranger"})
    held.init_transactions(20)
    held.begin_transaction()
    held.produce(world.prefix + "webhook-state", key="nothing", value=b"nothing", partition=2)
    held.flush(20)
    worker.start(ready=False)
    waiting = tenants.pop(2)
    late = world.issue(waiting)
    for tenant in tenants.values():
        world.issue(tenant)
        world.delivered(endpoints[tenant].wait()[0].id)
    assert (worker.get("/readyz").code, worker.partitions("restoring")) == (503, [2]) and not world.results.by_command[late]
    held.abort_transaction(20)
    worker.wait_ready()
    world.results.end(late)
    endpoints[waiting].wait()
