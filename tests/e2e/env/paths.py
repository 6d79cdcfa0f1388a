"""Where things are. POSTHORN_BIN points the tests at another build (asan, tsan)."""

import contextlib
import os
import random
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("POSTHORN_BIN", ROOT / "build/release/bin"))
SCHEMAS = ROOT / "schemas"
STATE_SCHEMA = ROOT / "worker/avro/state-record.avsc"
KAFKA = ROOT / "compose/kafka"
WORKER = BIN / "posthorn-worker"
ADMIN = BIN / "posthorn-admin"

OWN_MOUNTS = Path(__file__).with_name("own-mounts")

# Set where the tests of `inside` run, by test_inside: in a network namespace where 127.0.0.1 is the
# only name server.
INSIDE = "POSTHORN_TEST_INSIDE"
RESOLVER_TIMEOUT_S = 4


def free_ports(count):
    """The first of a row of free ports, below those of outgoing connections."""
    while True:
        first = random.randrange(20000, 32000 - count)
        with contextlib.ExitStack() as sockets, contextlib.suppress(OSError):
            for port in range(first, first + count):
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def free_port():
    return free_ports(1)


# Bound, and never listened on: a connection is refused, and no other process gets the port.
_UNHEARD = socket.socket()
_UNHEARD.bind(("127.0.0.1", 0))
REFUSING_PORT = _UNHEARD.getsockname()[1]
