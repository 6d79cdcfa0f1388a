"""What a bench stands on, as the end-to-end tests have it: one broker, topics, a world. All of it ends with it."""

import contextlib
import tempfile
from pathlib import Path

from env.avro import Schemas
from env.kafka import Broker
from env.receiver import Receivers
from env.world import World


@contextlib.contextmanager
def stand(partitions=12, receivers=0, settings=None):
    """A world with topics, without a worker."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posthorn-bench-")))
        for name in ("kafka", "receivers", "world"):
            (directory / name).mkdir()
        broker = Broker(directory / "kafka")
        stack.callback(broker.stop)
        hooks = None
        if receivers:
            hooks = Receivers(directory / "receivers", receivers)
            stack.callback(hooks.close)
        world = World(directory / "world", broker.bootstrap, hooks, Schemas(), settings, partitions)
        stack.callback(world.close)
        yield world.create_topics()
