"""The gateway under load: webhooks created and read through one worker, and the JWKS.

Webhooks: each kept connection belongs to another tenant, and creates and reads a webhook in turns.
First at a fixed rate, whatever the answers take: a request's time begins when it was due. Then as
fast as the answers come. The JWKS, which the gateway answers alone, is requested by wrk; the
gateway's own CPU counts, so that wrk's cost does not matter.
"""

import argparse
import json
import re
import subprocess
from statistics import median

from env.wait import until

from .requests import Connection, load, percentile, run
from .stand import Figures, make_world

P99_MOST_MS, JWKS_LEAST = 250, 20_000
WARM_UP_S = 3
WEBHOOKS = "/v1/webhooks"


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run gateway", description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=int, default=300, help="requests a second")
    parser.add_argument("--seconds", type=int, default=60, help="of requests at that rate; a third of it without one")
    parser.add_argument("--jwks-seconds", type=int, default=10, help="of each of three rounds")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class User:
    """A tenant that creates a webhook and reads it, again and again."""

    def __init__(self, connection, token, number):
        self.connection, self.number = connection, number
        self.head = f"host: bench\r\nauthorization: Bearer {token}\r\n"
        self.body = json.dumps({"url": f"https://example.com/{number}", "events": ["OpenIdCredentialIssued"]})
        self.webhook = None

    def request(self):
        if self.webhook:
            return f"GET {WEBHOOKS}/{self.webhook} HTTP/1.1\r\n{self.head}\r\n"
        return f"POST {WEBHOOKS} HTTP/1.1\r\n{self.head}content-type: application/json\r\ncontent-length: {len(self.body)}\r\n\r\n{self.body}"

    async def __call__(self):
        status, _, body = await self.connection.ask(self.request().encode())
        assert status == (200 if self.webhook else 201), (status, body)
        self.webhook = None if self.webhook else json.loads(body)["id"]


def shown(took):
    return f"p50 {percentile(took, 0.5) * 1000:.1f} ms, p99 {percentile(took, 0.99) * 1000:.1f} ms, at most {took[-1] * 1000:.1f} ms"


async def webhooks(worker, gateway, tokens, options, figures):
    programs = (gateway, worker)
    connections = [await Connection(gateway.api).open() for _ in tokens]
    users = [User(connection, token, n) for n, (connection, token) in enumerate(zip(connections, tokens))]
    await load(users, options.rate, WARM_UP_S)
    before = [program.usage()[0] for program in programs]
    steady, steady_seconds = await load(users, options.rate, options.seconds)
    cpu = [(program.usage()[0] - used) / len(steady) * 1e6 for program, used in zip(programs, before)]
    hurried, hurried_seconds = await load(users, None, options.seconds / 3)
    for connection in connections:
        connection.close()
    figures.say(f"{len(users)} connections, {len(steady) / steady_seconds:.0f} requests a second: {shown(steady)}")
    figures.say(f"CPU of each: {cpu[0]:.0f} µs of the gateway's, {cpu[1]:.0f} µs of the worker's")
    figures.say(f"{len(users)} connections, as fast as the answers come, {len(hurried) / hurried_seconds:.0f} a second: {shown(hurried)}")
    figures.figure(f"p50 at {options.rate} requests/s", percentile(steady, 0.5) * 1000, "ms", digits=1)
    figures.figure(f"p99 at {options.rate} requests/s", percentile(steady, 0.99) * 1000, "ms", most=P99_MOST_MS, digits=1)
    figures.figure("requests/s at that rate", len(steady) / steady_seconds, least=0.97 * options.rate, digits=1)
    figures.figure("requests/s, as fast as the answers come", len(hurried) / hurried_seconds, digits=0)


def ask_for_keys(url, options):
    """Requests that were answered with 200, and wrk's own count in a second."""
    command = ["wrk", "--threads", "1", "--connections", options.connections, "--duration", f"{options.jwks_seconds}s", url]
    said = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout
    assert not re.search("Non-2xx|Socket errors", said), said
    return int(re.search(r"(\d+) requests in", said)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def jwks(gateway, tenant, options, figures):
    url = f"http://{gateway.api}/v1/tenants/{tenant}/webhooks/jwks"
    found = []
    for _ in range(3):
        before = gateway.usage()[0]
        requests, rate = ask_for_keys(url, options)
        found.append(requests / (gateway.usage()[0] - before))
        figures.say(f"JWKS: {rate:.0f} requests/s beside wrk, {found[-1]:.0f} in a CPU second of the gateway's")
    figures.figure("JWKS, requests in a CPU second", median(found), least=JWKS_LEAST, digits=0)


def main():
    options = arguments()
    figures = Figures("gateway", options.json)
    with make_world(partitions=12) as world:
        worker = world.worker()
        tenants = [world.tenant("bench") for _ in range(options.connections)]
        tokens = [world.token(tenant)["token"] for tenant in tenants]
        gateway = world.gateway()
        run(webhooks(worker, gateway, tokens, options, figures))
        until(lambda: len(world.admin.jwks(tenants[0])["keys"]) == 1, 10, "the key")
        jwks(gateway, tenants[0], options, figures)
        gateway.stop()
    figures.end()


if __name__ == "__main__":
    main()
