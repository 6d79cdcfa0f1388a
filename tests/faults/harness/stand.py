"""Everything that a run needs, made in order and taken down in reverse, whatever happens in
between.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from functools import partial
from pathlib import Path

from env.avro import Schemas
from env.kafka import login
from env.paths import ADMIN, WORKER
from env.programs import Admin, write_properties
from env.receiver import Receivers
from env.sanitizer import SANITIZED
from env.wait import until
from env.world import grant

from .cluster import Cluster
from .faults import SESSION_TIMEOUT_S, mount
from .gateway import Folder
from .pool import WHERE_FAKETIME_IS, Pool
from .schedule import WORKERS
from .schema_ids import SchemaIds
from .watch import Watch
from .whereabouts import whereabouts

PARTITIONS = 6
FILE_SYSTEM_SIZE = "512m"  # memory only as far as it is filled
FAULTS = Path(__file__).resolve().parents[1]

SETTINGS = {
    "topic.partitions": PARTITIONS,
    "endpoint.allow.http": "true",
    "endpoint.allow.networks": "127.0.0.0/8",
    "kafka.session.timeout.ms": SESSION_TIMEOUT_S * 1000,
    "kafka.heartbeat.interval.ms": 1500,
    "delivery.timeout": "3s",
    "delivery.retry.schedule": "500ms,1s,2s,4s,8s",
    "delivery.breaker.probe.interval": "1s",
}
# In a pool without a worker of 0.1.0, which does not know it. What is kept comes and goes.
NEWER = {"delivery.succeeded.retention": "1m"}

# The cleaner must not have time to rest, and nothing is too young for it.
COMPACTING = {
    "segment.ms": 1000, "segment.bytes": 1 << 20, "min.cleanable.dirty.ratio": 0.01, "max.compaction.lag.ms": 1000,
    "min.compaction.lag.ms": 0,
}  # fmt: skip
NOT_COMPACTING = {"min.compaction.lag.ms": 86_400_000, "max.compaction.lag.ms": 7 * 86_400_000}

# Of events of one's own, in a pool without a worker of 0.1.0, which does not know the setting.
EVENT_TYPES = ("DegreeRevoked", "degree.renewed")

REST_S = 1  # between two questions whether all is quiet


class Stand:
    partitions = PARTITIONS

    def __init__(self, directory, seed, kinds, is_locked=False, released=None):
        self.directory, self.kinds, self.is_locked = directory, kinds, is_locked
        self.released = released  # the worker of a release that takes part
        self.event_types = () if released else EVENT_TYPES
        self.prefix = f"f{seed}-"
        self.group = f"{self.prefix}posthorn"
        self.schemas = Schemas()
        self.over = threading.Event()  # faults must not wait any longer
        self.broker_lock, self.proxy_lock, self.registry_lock = threading.Lock(), threading.Lock(), threading.Lock()
        self.registry = None
        self.mounts = []
        self.left = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.build(stack)
            self.left = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.left.close()

    def build(self, stack):
        self.cluster = Cluster(self.directory / "kafka", is_locked=self.is_locked)
        stack.callback(self.cluster.close)
        if "registry" in self.kinds:
            self.registry = SchemaIds(self.directory / "registry", self.prefix, self.schemas)
            stack.callback(self.registry.close)
        self.bootstrap = self.cluster.bootstrap
        (self.directory / "receivers").mkdir()
        self.receivers = Receivers(self.directory / "receivers", ports=8)
        stack.callback(self.receivers.close)
        self.make_key()
        common = SETTINGS | ({} if self.released else NEWER | {"event.types": ",".join(self.event_types)})
        common |= {"topic.prefix": self.prefix, "group.id": self.group, "worker.master.key.file": self.master_key}
        direct = {"kafka.bootstrap.servers": self.bootstrap}
        if self.is_locked:
            grant(self.directory, common | direct)
        self.admin = Admin(write_properties(self.directory / "admin.properties", common | direct | login(self.bootstrap, "operator")))
        self.admin.ok("topics", "create")
        self.set_cleaner()
        proxied = {"kafka.bootstrap.servers": self.cluster.proxied} | (self.registry.settings if self.registry else {})
        self.pool = Pool(self.directory, common | proxied | login(self.bootstrap, "worker"), WORKERS, self.released)
        self.gateway = Folder(self.directory, common | proxied | login(self.bootstrap, "gateway") | {"gateway.tokens.file": self.directory / "tokens"})
        stack.callback(self.unmount)
        stack.callback(self.pool.close)
        stack.callback(self.gateway.kill)
        self.mount_file_systems()
        self.prepare_clocks()
        self.write_run()
        self.watch = Watch(self.bootstrap, self.prefix, self.schemas)
        stack.callback(self.watch.close)
        self.start_observer(stack)
        self.pool.begin()
        self.gateway.start(ready=True)

    def make_key(self):
        self.master_key = self.directory / "master.key"
        self.master_key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=") + b"\n")
        self.master_key.chmod(0o600)

    def set_cleaner(self):
        compacting = "compaction" in self.kinds
        self.cluster.configure_topic(self.prefix + "webhook-state", COMPACTING if compacting else NOT_COMPACTING)
        if compacting:
            self.cluster.configure_brokers({"log.cleaner.backoff.ms": 500})

    def mount_file_systems(self):
        if not {"disk", "replica"} & set(self.kinds):
            return
        for member in self.pool:
            folder = member.replica.parent
            folder.mkdir()
            try:
                mount("-t", "tmpfs", "-o", f"size={FILE_SYSTEM_SIZE},mode=700", "posthorn-faults", folder)
            except (OSError, subprocess.CalledProcessError):
                self.unmount()
                return
            self.mounts.append(folder)

    def unmount(self):
        """Keeps their records."""
        for folder in self.mounts:
            kept = folder.with_name("kept")
            shutil.copytree(folder, kept)
            subprocess.run(["umount", folder], check=True)
            folder.rmdir()
            kept.rename(folder)
        self.mounts = []

    def prepare_clocks(self):
        # libfaketime and a sanitizer both want to be the first library of a process.
        if "clock" in self.kinds and os.path.exists(WHERE_FAKETIME_IS) and not SANITIZED:
            for member in self.pool:
                member.clock = member.directory / "clock"
                member.step_clock(0)

    def write_run(self):
        members = {
            "bootstrap": self.bootstrap,
            "prefix": self.prefix,
            "partitions": PARTITIONS,
            "group": self.group,
            "compaction": "compaction" in self.kinds,
            "clock": any(member.clock for member in self.pool),
            "released": self.released is not None,
            "admin": str(ADMIN),
            "worker": str(WORKER),
            "master_key": str(self.master_key),
            "workers": [{"id": m.id, "data_dir": str(m.replica.parent), "config": str(m.config)} for m in self.pool],
            "gateway": {"data_dir": str(self.gateway.data), "config": str(self.gateway.config)},
            "receivers": [str(self.receivers.records)],
            "observed": "observed.log",
        } | ({"logins": "kafka"} if self.is_locked else {})
        (self.directory / "run.json").write_text(json.dumps(members, indent=2) + "\n")

    def start_observer(self, stack):
        log = open(self.directory / "observer.err", "wb")
        self.observer = subprocess.Popen([FAULTS / "observe", self.directory], stdout=subprocess.PIPE, stderr=log)
        stack.callback(self.observer.kill)
        assert self.observer.stdout.readline() == b"observing\n", "the observer did not begin"

    # The end

    def heal(self):
        self.cluster.proxy.order("heal")
        self.cluster.restart()
        if self.registry:
            self.registry.front.mend()

    def pending(self):
        return self.admin.dump().count('"status":"pending"')

    def wait_quiet(self, sent):
        """Every command answered, and no delivery pending. Asked now and then: each question takes
        time from what is waited for.
        """
        rest = partial(time.sleep, REST_S)
        try:
            until(lambda: not self.watch.unanswered(sent), 180, "every command's outcome", step=rest)
        except AssertionError as late:
            missing = self.watch.unanswered(sent)
            places = "\n".join(whereabouts(self, missing[:5]))
            raise AssertionError(f"{late}; {len(missing)} are missing, as\n{places}") from None
        until(lambda: self.pending() == 0, 240, "no delivery is pending", step=rest)

    def rest(self):
        """All stopped and written down; returns who did not end as it should. The gateway is
        killed: its history must bear that.
        """
        self.pool.rest()
        ends = self.pool.stop()
        if not self.gateway.running:
            ends[self.gateway.id] = self.gateway.process.returncode
        self.gateway.kill()
        self.unmount()
        self.write_run()
        self.observer.send_signal(signal.SIGTERM)
        self.observer.wait(60)
        self.watch.over.set()
        self.watch.thread.join()
        self.watch.catch_up()
        return ends
