"""A worker with an empty folder: it must restore the state that the changelog holds."""

import shutil

from env.programs import Worker
from env.wait import until

NAME = "check-restore"
# The others have left; the group finds out when their sessions end.
RESTORED_WITHIN_S = 180


def _owns(worker, partitions):
    active = [series for series in worker.metrics() if series.startswith("posthorn_partition_state{") and 'state="active"' in series]
    return len(active) == partitions


def restored_dump(run, admin):
    """(the dump of the restored replica, the dump of the changelog after it)."""
    shutil.rmtree(run.directory / NAME, ignore_errors=True)
    settings = {
        key: value for key, value in run.properties.items() if key not in ("worker.id", "worker.data.dir", "worker.http.listen", "kafka.bootstrap.servers")
    }
    worker = Worker(run.directory, NAME, settings | {"kafka.bootstrap.servers": run.bootstrap})
    worker.program = run.path(run.worker)
    worker.start(ready=False)
    try:
        until(lambda: _owns(worker, run.partitions), RESTORED_WITHIN_S, "a replica restored from nothing")
        worker.stop()
        assert not worker.reports(), worker.reports()
    finally:
        if worker.running:
            worker.kill()
    return admin.ok("state", "dump", "--replica", worker.replica, timeout=600), admin.ok("state", "dump", timeout=600)
