"""Twenty thousand events of one's own for a hundred tenants, whose webhooks mix filters, headers,
signatures, secrets and rate limits: each callback is verified by a published verifier of its kind,
and none of the secrets lies where it must not, searched for byte by byte.
"""

import base64
import os
import secrets
import shutil
import struct
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
from env import commands, genuine
from env.genuine import ED25519, HMAC, RFC9421, USUAL, Expected
from env.programs import run
from env.receiver import Endpoint
from env.sanitizer import SANITIZED
from env.sealed_box import SealedBox
from env.standard_webhooks import python_library
from test_credentials_at_rest import TOPICS, records_of

EVENTS, TENANTS, SUBJECTS = 20_000, 100, 8
TYPES = ("DegreeRevoked", "degree.renewed_v2", "Licence-Issued")
FORMATS = (None, (RFC9421,), (ED25519,), (HMAC,), (RFC9421, HMAC), (RFC9421, ED25519, HMAC))
HEADERS = (0, 1, 3, 8)
RATE, FAILING_EVERY = 40, 20
SEARCHED = 20  # bytes of a secret: more than chance finds, and fewer than a log line would cut off
LONG = 3000  # bytes of a header's value
DEADLINE_S = 240
CAN_TRACE = os.geteuid() == 0 and shutil.which("gcore")


@dataclass
class Webhook:
    tenant: str
    endpoint: Endpoint
    types: tuple
    formats: tuple | None
    headers: dict
    subjects: tuple = ()  # its filter's; empty: none
    rate: int | None = None
    secrets: list = field(default_factory=list)
    id: str = ""

    @property
    def members(self):
        return {
            "events": list(self.types),
            "headers": [{"name": name, "value": value} for name, value in self.headers.items()],
            "signatures": list(self.formats or ()),
            **({"filter": {"subject": list(self.subjects)}} if self.subjects else {}),
            **({"rateLimit": self.rate} if self.rate else {}),
        }

    @property
    def fails(self):
        return self.endpoint.path.startswith("/fails")

    def takes(self, event):
        return event["eventType"] in self.types and (not self.subjects or event["subject"] in self.subjects)


def value_of(number):
    """A header's value: the first one of a webhook is long, others have more than ASCII."""
    return secrets.token_urlsafe(18) + (("ä\tß " * number)[-400:] + "e" if number else "x" * LONG)


def headers_of(number):
    return {f"x-secret-{at}": value_of(number * at) for at in range(HEADERS[number % len(HEADERS)])}


def webhooks_of(world, tenant, n):
    """One for all events, one that chooses, and here and there one whose endpoint fails."""
    endpoint = lambda stem, at=n: world.receivers.endpoint(stem, port=at)
    yield Webhook(tenant, endpoint("all"), TYPES, FORMATS[n % 6], headers_of(n // 6), rate=RATE if n % 5 == 0 else None)
    subjects = tuple(f"subject-{(n + at) % SUBJECTS}" for at in range(3))
    yield Webhook(tenant, endpoint("some"), TYPES[:2], FORMATS[(n + 3) % 6], headers_of(n), subjects, rate=RATE if n % 7 == 0 else None)
    if n % FAILING_EVERY == 0:
        yield Webhook(tenant, endpoint("fails").answers(500), TYPES[2:], (RFC9421, HMAC), headers_of(3), ("subject-0",))


def create(world, webhooks):
    """By Kafka, but those of every tenth tenant over HTTP."""
    tenants, gateway = sorted({webhook.tenant for webhook in webhooks}), world.gateway()
    over_http = {tenant: world.client(gateway, tenant) for tenant in tenants[::10]}
    asked = {}
    for webhook in webhooks:
        body = {"url": webhook.endpoint.url} | webhook.members
        if webhook.tenant in over_http:
            webhook.id = over_http[webhook.tenant]("POST", "/v1/webhooks", body).json["id"]
        else:
            asked[world.writer.ask(webhook.tenant, commands.create(**body))] = webhook
    world.writer.flush()
    for id, webhook in asked.items():
        webhook.id = world.results.end(id, timeout=60).data["id"]
    return gateway, over_http


def learn_secrets(world, webhooks):
    """Each webhook's newest one, as who asks on Kafka."""
    box = SealedBox()
    asked = {world.writer.ask(webhook.tenant, commands.retrieve_secret(webhook.id, box.public_key)): webhook for webhook in webhooks}
    world.writer.flush()
    for id, webhook in asked.items():
        webhook.secrets.append(box.open(world.results.end(id, timeout=60).data["secret"]))


def rotate_secrets(world, webhooks):
    asked = [world.writer.ask(webhook.tenant, commands.rotate_secret(webhook.id)) for webhook in webhooks]
    world.writer.flush()
    assert {world.results.end(id, timeout=60).status for id in asked} == {201}
    learn_secrets(world, webhooks)


def publish(world, tenants, numbers):
    events = [
        commands.own_event(tenants[n % TENANTS], TYPES[n % len(TYPES)], {"n": n, "text": "x" * 200}, f"subject-{n // TENANTS % SUBJECTS}") for n in numbers
    ]
    for event in events:
        world.writer.event(event)
    world.writer.flush()
    return [event | {"n": n} for n, event in zip(numbers, events, strict=True)]


def forms_of(secret):
    """The beginnings of the ways in which a webhook's secret could be written."""
    raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    # Of the bytes themselves a part that is one line for grep.
    return base64.b64encode(raw), base64.urlsafe_b64encode(raw), raw.hex().encode(), raw.hex().upper().encode(), max(raw.split(b"\n"), key=len)


class Search:
    """For the beginning of each secret, in every form."""

    def __init__(self, webhooks, file):
        known = [secret for webhook in webhooks for secret in webhook.secrets]
        self.values = {value.encode()[:SEARCHED] for webhook in webhooks for value in webhook.headers.values()}
        self.forms = {form[:SEARCHED] for secret in known for form in forms_of(secret)}
        self.count, self.bytes, self.file = len(self.values) + len(known), 0, file
        assert min(map(len, self.forms)) >= 8
        file.write_bytes(b"".join(needle + b"\n" for needle in self.values | self.forms))
        planted = self.values | self.forms
        assert self.found(b"\0".join(planted)) == planted, "it finds each"

    def found(self, data):
        """Those that lie in the bytes."""
        self.bytes += len(data)
        ran = subprocess.run(
            ["grep", "-a", "-o", "-F", "-f", self.file], input=data, stdout=subprocess.PIPE, timeout=300, check=False, env=os.environ | {"LC_ALL": "C"}
        )
        assert ran.returncode in (0, 1)
        return set(ran.stdout.split(b"\n")) - {b""}


ELF_HEADER, PROGRAM_HEADER, PT_LOAD = struct.Struct("<32xQ14xHH"), struct.Struct("<I4xQ16xQ"), 1


def memory_in(core):
    """Of a core file: its notes have the registers of each thread, in which a part of what was
    copied last may lie.
    """
    place, size, count = ELF_HEADER.unpack_from(core)
    headers = [PROGRAM_HEADER.unpack_from(core, place + n * size) for n in range(count)]
    return b"\0".join(core[offset : offset + length] for kind, offset, length in headers if kind == PT_LOAD)


def core_of(program, directory):
    """The memory in a dump of the process that root takes."""
    core = directory / f"{program.kind}.core"
    made = run("gcore", "-o", core, program.process.pid, timeout=120)
    (file,) = directory.glob(f"{core.name}.*")
    assert made.code == 0, made
    return memory_in(file.read_bytes())


def shows_of(world, tenants):
    """The output of each command that shows state or records."""
    shows = {"state dump": world.admin.dump(), "state dump of the replica": world.admin.dump(world.workers[0].replica)}
    shows["results tail"] = world.admin.ok("results", "tail", "--json", timeout=300)
    shows["dead-letters list"] = world.admin.ok("dead-letters", "list", "--json")
    for tenant in tenants[::FAILING_EVERY]:
        shows[f"webhook list of {tenant}"] = world.admin.ok("webhook", "list", "--tenant", tenant, "--json")
        shows[f"delivery list of {tenant}"] = world.admin.ok("delivery", "list", "--tenant", tenant, "--json")
    return {name: text.encode() for name, text in shows.items()}


def check_secrets(world, search, shows, cores, report):
    """Of a header's value there is its producer's own command, and of all else nothing."""
    world.wait_in_replica(world.workers[0])
    for topic, data in records_of(world).items():
        assert search.found(data) == (search.values if topic == "webhook-admin" else set()), topic
    files = [file for program in world.workers for file in program.directory.rglob("*") if file.is_file()]
    assert {"worker.log", "gateway.log", "replica.db"} <= {file.name for file in files}
    for file in files:
        assert search.found(file.read_bytes()) == set(), file
    for name, data in (shows | cores).items():
        assert search.found(data) == set(), name
    report(f"{search.count} secrets searched for in {len(TOPICS)} topics, {len(files)} files, the output of {len(shows)} commands and {len(cores)} cores")
    report(f"that are {search.bytes / 1e6:.0f} MB: none but headers' values in the commands that gave them")


def check_callbacks(world, webhooks, taken, library, report):
    """Each came once, genuine and with its headers, and no other. Returns them by target."""
    delivered = {webhook.endpoint.path: webhook for webhook in webhooks if not webhook.fails}
    keys = {tenant: world.state.jwks(tenant) for tenant in {webhook.tenant for webhook in webhooks}}
    wanted = {target: Expected(keys[webhook.tenant], webhook.formats or USUAL, webhook.headers, webhook.secrets) for target, webhook in delivered.items()}
    start = time.monotonic()
    arrived = genuine.verify_all(world.receivers.records, wanted, library)
    numbers = {target: [] for target in wanted}
    for webhook, event in taken:
        if not webhook.fails:
            numbers[webhook.endpoint.path].append(event["n"])
    assert {target: sorted(arrived[target].numbers) for target in wanted} == numbers
    verified = sum((each.verified for each in arrived.values()), Counter())
    twice = verified[HMAC] - sum(len(each.numbers) for target, each in arrived.items() if HMAC in wanted[target].formats)
    assert twice > 0, "both secrets sign during the overlap"
    report(f"signatures verified in {time.monotonic() - start:.1f} s: {dict(verified)}; {twice} callbacks with those of two secrets")
    return arrived


def check_rates(webhooks, arrived, report):
    """A second's attempts, and a tenth more that may begin at once."""
    rates = []
    for webhook in (webhook for webhook in webhooks if webhook.rate and len(arrived[webhook.endpoint.path].times) > 3 * webhook.rate):
        times = sorted(arrived[webhook.endpoint.path].times)
        rates.append((len(times) - 1.1 * webhook.rate) / (times[-1] - times[0]))
    assert rates and max(rates) < RATE * 1.1, rates
    report(f"{len(rates)} webhooks with a limit of {RATE} a second got at most {max(rates):.1f} a second")


@pytest.mark.alone
@pytest.mark.skipif(SANITIZED, reason="builds for developers may dump core")
def test_events_of_ones_own_with_all_members_mixed(make_world, report, tmp_path):
    # Before the load: it takes no callback that is older than five minutes.
    library = python_library()
    settings = {"event.types": ",".join(TYPES), "log.level": "debug", "webhook.secret.overlap": "1h", "delivery.retry.schedule": "1h"}
    with make_world(settings=settings) as world:
        worker = world.worker()
        tenants = [world.tenant("mixed") for _ in range(TENANTS)]
        webhooks = [webhook for n, tenant in enumerate(tenants) for webhook in webhooks_of(world, tenant, n)]
        gateway, over_http = create(world, webhooks)
        signing = [webhook for webhook in webhooks if HMAC in (webhook.formats or ())]
        learn_secrets(world, signing)

        start = time.monotonic()
        events = publish(world, tenants, range(EVENTS // 2))
        rotate_secrets(world, signing[::3])
        events += publish(world, tenants, range(EVENTS // 2, EVENTS))
        # Over HTTP a secret passes through the gateway's memory, too.
        for webhook in (webhook for webhook in signing if webhook.tenant in over_http):
            assert over_http[webhook.tenant]("GET", f"/v1/webhooks/{webhook.id}/secret").json["secret"] == webhook.secrets[-1]
        cores = {f"{program.kind}'s core": core_of(program, tmp_path) for program in (worker, gateway)} if CAN_TRACE else {}
        pairs = [(webhook, event) for webhook in webhooks for event in events if event["tenantId"] == webhook.tenant and event["eventType"] in webhook.types]
        taken = [(webhook, event) for webhook, event in pairs if webhook.takes(event)]
        worker.wait_metric(EVENTS, "posthorn_commands_total", timeout=DEADLINE_S, topic="webhook-events")
        worker.wait_metric(sum(webhook.fails for webhook, _ in taken), "posthorn_deliveries_pending", timeout=DEADLINE_S)
        seconds = time.monotonic() - start

        arrived = check_callbacks(world, webhooks, taken, library, report)
        count = sum(len(each.numbers) for each in arrived.values())
        assert worker.metric("posthorn_deliveries_filtered_total") == len(pairs) - len(taken)
        report(f"{EVENTS} events, {TENANTS} tenants, {len(webhooks)} webhooks: {count} callbacks in {seconds:.1f} s, {len(pairs) - len(taken)} filtered")
        check_rates(webhooks, arrived, report)
        check_secrets(world, Search(webhooks, tmp_path / "secrets"), shows_of(world, tenants), cores, report)
