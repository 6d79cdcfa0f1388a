"""The tour of README.md and docs/api.md, as a newcomer would paste it: its own lines, in their
order.

Only its folder and its ports are made this test's own.
"""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess

import pytest
from env.paths import BIN, KAFKA, ROOT, free_port
from env.sanitizer import PATIENCE, reports

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = (8000, 8080, 9465, 9092)


def ports_in_a_row(count):
    """Free ones, below those that the system gives away itself; the first of them. Kafka's
    controller takes the port behind its clients'.
    """
    while True:
        first = random.randrange(20000, 32000)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for n in range(count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", first + n))
            return first


def blocks(document, first, end):
    """The lines to paste between two headings of a document."""
    text = (ROOT / document).read_text()
    return BLOCK.findall(text[text.index(f"## {first}") : text.index(f"## {end}")])


def tour():
    """The README's tour and, before it ends, the continuation in docs/api.md."""
    *steps, end = blocks("README.md", "A five-minute tour", "Documents")
    return [*steps, *blocks("docs/api.md", "HTTP", "The page"), end]


@pytest.fixture
def bash(tmp_path):
    """A shell that ends with the first line that fails: (its exit status, the output of it and of
    all that it started).
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POSTHORN_")}
    environment["POSTHORN_WORKER_HTTP_LISTEN"] = f"127.0.0.1:{free_port()}"
    shells = []

    def run(text):
        script = tmp_path / "tour.sh"
        script.write_text(text)
        with open(tmp_path / "said", "w+b") as said:
            shell = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "bash", "-e", "-o", "pipefail", "-O", "expand_aliases", script],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=ROOT, env=environment, start_new_session=True,
            )  # fmt: skip
            shells.append(shell)
            shell.wait(120 * PATIENCE)
            said.seek(0)
            return shell.returncode, said.read().decode(errors="replace")

    yield run
    for shell in shells:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # as it should be


def test_the_tour(bash, tmp_path):
    text, folder = "".join(tour()), tmp_path / "tour"
    first = ports_in_a_row(len(PORTS) + 1)
    ports = {port: first + n for n, port in enumerate(PORTS)}
    text = text.replace("/tmp/tour", str(folder)).replace("$PWD/build/release/bin", str(BIN))
    for port, own in ports.items():
        text = re.sub(rf"\b{port}\b", str(own), text)
    text = f"export POSTHORN_GATEWAY_LISTEN=127.0.0.1:{ports[8080]} POSTHORN_GATEWAY_OPERATIONS_LISTEN=127.0.0.1:{ports[9465]}\n{text}"
    try:
        code, said = bash(text)
    finally:
        if folder.exists():
            subprocess.run([KAFKA, "stop", "--dir", folder / "kafka"], check=False, capture_output=True)
    assert code == 0, said
    assert "Signature Verified Successfully" in said and "curl: (" not in said and not reports(said), said
    # Two webhooks and a test: of the first credential one callback, of the test one, of the second
    # credential two.
    assert len(re.findall(r"^webhook-signature: v1a,", said, re.MULTILINE)) == 4, said
    assert said.count('"type":"WebhookTest"') == 1 and '"credentialId":"c-2"' in said, said
    assert re.search(r'^{"data":\[{"id":"[^"]*","events":\["OpenIdCredentialIssued"\],"url":"http://127.0.0.1:', said, re.MULTILINE), said
    assert "WEBHOOK_EVENT_PROCESS_SUCCESS" in said and not folder.exists(), said
