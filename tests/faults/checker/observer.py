"""A read_committed reader that watches all along, as a consumer of the results would, and writes
down each record with its time.

One line for each record:

    <seen, seconds> <results|state> <partition> <offset> <event id, or key as JSON>
"""

import json
import signal
import sys
import time

from env.kafka import Reader

from .run import Run

FRAME = 10  # bytes: the marker of the single-object encoding, and the fingerprint
TOPICS = {"results": "webhook-results", "state": "webhook-state"}


class Observer(Reader):
    """Faults of brokers do not end it: librdkafka goes on where it stood."""

    def __init__(self, bootstrap, prefix, name, out, identify):
        self.name, self.out, self.identify = name, out, identify
        super().__init__(bootstrap, prefix + TOPICS[name])

    def take(self, message):
        self.out.write(f"{time.time():.3f} {self.name} {message.partition()} {message.offset()} {self.identify(message)}\n")

    def refuse(self, error):
        print(f"observer of {self.topic}: {error}", file=sys.stderr)


def event_id(message):
    """The event's first field, behind the frame: a short string, its length doubled in one byte. It
    must keep up, so the rest is not decoded.
    """
    value = message.value()
    return value[FRAME + 1 : FRAME + 1 + value[FRAME] // 2].decode()


def state_key(message):
    return json.dumps(message.key().decode())


def observe(directory):
    run, stopped = Run.load(directory), []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    with open(run.path(run.observed), "w", buffering=1 << 16) as out:
        readers = [
            Observer(run.bootstrap, run.prefix, "results", out, event_id),
            Observer(run.bootstrap, run.prefix, "state", out, state_key),
        ]
        print("observing", flush=True)
        while not stopped:
            for reader in readers:
                reader.poll(0.01)
            out.flush()
        for reader in readers:
            reader.catch_up()
            reader.close()


if __name__ == "__main__":
    observe(sys.argv[1])
