"""The tests of `inside`, in network and mount namespaces of their own: port 53 is ours there, and
no packet leaves.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from env.paths import INSIDE, OWN_MOUNTS, RESOLVER_TIMEOUT_S

ENTER = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'


def test_inside(tmp_path, report):
    resolver, order = tmp_path / "resolv.conf", tmp_path / "nsswitch.conf"
    resolver.write_text(f"nameserver 127.0.0.1\noptions timeout:{RESOLVER_TIMEOUT_S} attempts:1\n")
    order.write_text("hosts: files dns\n")
    own = [OWN_MOUNTS, "--net"]
    if subprocess.run([*own, "true"], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here (unshare --net --mount)")
    tests = [sys.executable, "-m", "pytest", "-q", "--basetemp", tmp_path / "inside", Path(__file__).with_name("inside")]
    environment = {name: value for name, value in os.environ.items() if name != "POSTHORN_TEST_BOOTSTRAP"} | {INSIDE: "1"}
    run = subprocess.run([*own, "sh", "-c", ENTER, "sh", resolver, order, *tests], env=environment, text=True, capture_output=True, check=False)
    print(run.stdout[-20000:], run.stderr[-2000:])
    assert run.returncode == 0
    for line in run.stdout.splitlines():
        if line.startswith("test_") or " passed" in line:
            report(line)
