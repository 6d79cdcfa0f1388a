"""The common parts of tests/package, tests/image, tests/chart and tests/prometheus: steps that are
told of, roots of Debian, a Kafka, and a receiver of callbacks.
"""

import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build/installed"


class Failure(Exception):
    """A sentence for a person."""


class Told(Failure):
    """The failure of a step, which has printed it."""


def run(*command, input=None, check=True, timeout=1800, **options):
    """The output, stdout and stderr together; a Failure with it where the command fails."""
    answer = subprocess.run(
        [str(part) for part in command], input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=timeout, **options
    )
    if check and answer.returncode:
        raise Failure(f"{' '.join(map(str, command))}: exit status {answer.returncode}\n{answer.stdout[-6000:]}")
    return answer.stdout if check else answer


def need(*functions):
    """Functions of compose/install.sh."""
    for function in functions:
        run("bash", "-c", f'source "{ROOT}/compose/install.sh" && {function}')


def enter_environment():
    """Goes on as the Python that has the packages of tests/requirements.txt."""
    need("need_tests", "python_environment")
    environment = ROOT / "build/.venv"
    if not os.path.samefile(sys.prefix, environment):
        os.execv(environment / "bin/python", [environment / "bin/python", *sys.argv])


def until(condition, what, seconds=60):
    """The first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} seconds")
        time.sleep(0.1)
    return answer


class Steps:
    """A line for each step; `end` prints how many passed and failed, and gives the exit status."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    @contextmanager
    def step(self, text):
        begun = time.monotonic()
        try:
            yield
        except (Failure, AssertionError, OSError, subprocess.SubprocessError) as failure:
            self.failed += 1
            print(f"FAIL  {text}: {failure}", flush=True)
            raise Told("") from failure
        self.passed += 1
        print(f"ok    {text} ({time.monotonic() - begun:.0f} s)", flush=True)

    @contextmanager
    def all_of(self, text):
        """A row of steps, of which each needs those before it."""
        print(f"--- {text}", flush=True)
        try:
            yield
        except Told:
            pass
        except Failure as failure:
            self.failed += 1
            print(f"FAIL  between the steps: {failure}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def base_root(suite):
    """A tar of this Debian without anything else, made once."""
    tar = CACHE / f"{suite}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", suite, f"{folder}/root")
            for file in Path(folder, "root/var/cache/apt/archives").glob("*.deb"):
                file.unlink()
            run("tar", "--one-file-system", "-C", f"{folder}/root", "-cf", f"{folder}/tar", ".")
            os.rename(f"{folder}/tar", tar)
    return tar


def unpack(tar, folder):
    run("rm", "-rf", "--one-file-system", folder)
    folder.mkdir(parents=True)
    run("tar", "-C", folder, "-xpf", tar)
    return folder


def copy_sources(folder):
    """The repository's files, also those that are not committed yet."""
    folder.mkdir(parents=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    present = b"\0".join(name for name in names.split(b"\0") if name and (ROOT / os.fsdecode(name)).is_file())
    packed = subprocess.run(["tar", "--null", "-T", "-", "-c"], cwd=ROOT, input=present, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-C", folder, "-x"], input=packed, check=True)
    return folder


@contextmanager
def kafka(folder, *arguments):
    """The address of a Kafka that runs meanwhile."""
    try:
        yield run(ROOT / "compose/kafka", "start", "--port", "0", "--dir", folder, *arguments).split()[-1]
    finally:
        run(ROOT / "compose/kafka", "stop", "--dir", folder, check=False)


class Receiver:
    """An endpoint on this machine; `ids` are the callbacks' webhook-ids, in order."""

    def __init__(self, host="127.0.0.1"):
        self.ids = ids = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                ids.append(self.headers["webhook-id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{host}:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=60):
        """Until so many different callbacks have come."""
        until(lambda: len(set(self.ids)) >= count, f"{count} callbacks ({len(set(self.ids))} have come)", seconds)


def credentials(first, count):
    """JSON lines for `credential issue --file`."""
    return "".join(
        f'{{"commandId":"{n}","credentialId":"c-{n}","format":"dc+sd-jwt","credentialConfigurationId":"Degree",'
        f'"credentialProfile":"ietf","credential":"eyJhbGciOiJFZERTQSJ9.e30.c2ln"}}\n'
        for n in range(first, first + count)
    )


def main(test):
    """Runs `test(steps, arguments)` as root."""
    if os.geteuid():
        sys.exit("this test makes roots of Debian: run it as root")
    steps = Steps()
    test(steps, sys.argv[1:])
    sys.exit(steps.end())
