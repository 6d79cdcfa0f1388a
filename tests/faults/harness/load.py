"""The load: every operation and issuance, a few tenants much hotter than the rest, wrong commands,
repeats, and records that are none.
"""

import base64
import os
import random
import threading
import time
from collections import Counter

from checker import rules
from env import commands
from env.kafka import CommandWriter
from env.partitioner import partition_of

TENANTS = 24
WEBHOOKS_MAX = 3  # of a tenant, about
PATHS = 4  # of a tenant, each with a temper of its own
NOWHERE = "00000000-0000-4000-8000-000000000000"
LARGE = 20_000
REMEMBERED = 200  # commands that may come again

# What is asked, and how often.
MIX = {
    "issue": 580, "misplaced": 20, "retrieve": 80, "list": 60, "create": 60, "update": 50, "test": 40, "delete": 30,
    "wrong": 30, "repeat": 20, "rotate": 10, "recover": 10, "conflict": 5, "garbage": 5,
}  # fmt: skip
# What 0.1.0 does not know: beside that, where none of its workers takes part.
NEWER = {"publish": 120, "retrieve_secret": 15, "rotate_secret": 15, "resend": 15, "recover_some": 15}
MEMBERS_SHARE = 0.6  # of the webhooks that are created or updated, with optional members
SECRET = "value-that-is-shown-to-nobody"  # in each header's value
SUBJECTS = ("degree-1", "degree-2", "degree-3")
PUBLIC_KEY = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()

# Headers of every other command, which its deliveries keep.
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "congo=t61rcWkgMzE"}

OK = 200
# What an endpoint answers, as {answer: weight}; "hang" never does.
TEMPERS = [
    {OK: 97, 500: 2, 503: 1},
    {OK: 40, "slow": 60},
    {OK: 66, 500: 15, 503: 10, "close": 5, "hang": 4},
    {500: 90, OK: 9, 410: 1},
]
SCRIPT = 3000  # answers that are prepared for an endpoint; the last one is for ever


def answer(name, chance):
    if name == "slow":
        return {"status": OK, "delay": round(chance.uniform(0.05, 1.5), 2)}
    if name == "hang":
        return {"status": 504, "hang": True}
    if name == "close":
        return {"status": 502, "close": True}
    return {"status": name}


class Load:
    def __init__(self, stand, seed, rate):
        self.stand, self.rate = stand, rate
        self.chance = random.Random(f"load {seed}")
        self.tenants = [f"f{seed}-tenant-{n:02}" for n in range(TENANTS)]
        # Through a registry, where there is one.
        self.schemas = stand.registry.schemas if stand.registry else stand.schemas
        self.weights = [1 / (n + 1) for n in range(TENANTS)]
        self.writer = CommandWriter(stand.bootstrap, stand.prefix, self.schemas)
        self.mix = MIX if stand.released else MIX | NEWER
        self.sent = Counter()  # (tenant, command id): how often
        self.dead_letters = 0
        self.remembered = []
        self.made = 0
        self.deleted = set()
        self.created = Counter()  # by tenant, less what was deleted
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.failure = None
        self.set_tempers()

    def path(self, tenant, n):
        return f"/{tenant}/{n}"

    def url(self, tenant):
        n = self.chance.choices(range(PATHS), (6, 2, 2, 1))[0]
        port = self.stand.receivers.ports[n % len(self.stand.receivers.ports)]
        return f"http://127.0.0.1:{port}{self.path(tenant, n)}"

    def set_tempers(self):
        for tenant in self.tenants:
            for n, temper in enumerate(TEMPERS):
                names = self.chance.choices(list(temper), temper.values(), k=SCRIPT)
                self.stand.receivers.ask(rules={self.path(tenant, n): [answer(name, self.chance) for name in names]})

    def appease(self):
        """From now on every endpoint takes everything."""
        rules = {self.path(tenant, n): [{"status": OK}] for tenant in self.tenants for n in range(PATHS)}
        self.stand.receivers.ask(rules=rules)

    # Commands

    def id(self):
        self.made += 1
        return f"c-{self.made}"

    def webhook(self, tenant):
        living = [id for id in self.stand.watch.webhooks[tenant][-2 * WEBHOOKS_MAX :] if id not in self.deleted]
        return self.chance.choice(living) if living else NOWHERE

    def send(self, value):
        key = value["tenantId"], value["commandId"]
        self.sent[key] += 1
        self.stand.watch.asked[key] = time.monotonic()
        write = self.writer.command if "operation" in value else self.writer.event if "eventType" in value else self.writer.issuance
        write(value, TRACE if self.made % 2 else None)

    def ask(self, tenant, operation):
        value = commands.command(tenant, operation, command_id=self.id())
        self.send(value)
        self.remembered = [*self.remembered[-REMEMBERED:], value]

    def events(self):
        chosen = self.chance.choice([(commands.ISSUED,), (commands.SUMMARY,), (commands.ISSUED, commands.SUMMARY)])
        own = self.stand.event_types
        return chosen if not own else (*chosen, *self.chance.sample(own, self.chance.randrange(len(own) + 1)))

    def members(self, keep_share=0):
        """Optional members of a webhook, any of them; of its header now and then without a value,
        which leaves the one that it has.
        """
        if self.stand.released or self.chance.random() > MEMBERS_SHARE:
            return {}
        value = None if self.chance.random() < keep_share else f"{SECRET}-{self.made}"
        credential = commands.issuance("any")
        all = {
            "description": f"the webhook of command {self.made}",
            "headers": [{"name": "x-api-key", "value": value}],
            "signatures": self.chance.choice([[rules.HMAC], ["rfc9421", rules.HMAC], ["standard-webhooks"]]),
            "filter": self.chance.choice([{"subject": list(SUBJECTS[:2])}, {"format": [credential["format"]]}, {"credentialProfile": ["another"]}]),
            "rateLimit": self.chance.choice([50, 200]),
        }
        return {name: value for name, value in all.items() if self.chance.random() < 0.5}

    def publish(self, tenant):
        """Now and then of a type that is not known."""
        type = "NoSuchEvent" if self.chance.random() < 0.03 else self.chance.choice(self.stand.event_types)
        subject = self.chance.choice([None, *SUBJECTS])
        self.send(commands.own_event(tenant, type, {"number": self.made}, subject, command_id=self.id()))

    def retrieve_secret(self, tenant):
        self.ask(tenant, commands.retrieve_secret(self.webhook(tenant), PUBLIC_KEY))

    def rotate_secret(self, tenant):
        self.ask(tenant, commands.rotate_secret(self.webhook(tenant)))

    def recover_some(self, tenant):
        """By more than when they ended; now and then wrongly."""
        now = int(time.time() * 1000)
        chosen = self.chance.choice([
            {"until": now - 2000},
            {"since_ms": now - 60_000, "until": now, "status": "dead"},
            {"subject": f"credential-{self.made - self.chance.randrange(1000)}"},
            {"subject": self.chance.choice(SUBJECTS)},
            {"since_ms": now - 3000, "status": "succeeded"},
            {"status": "succeeded", "subject": self.chance.choice(SUBJECTS)},
            {"since_ms": now, "until": now - 1},
            {"status": "pending"},
        ])  # fmt: skip
        self.ask(tenant, commands.recover(self.webhook(tenant), **chosen))

    def resend(self, tenant):
        recorded = self.stand.watch.recorded[tenant]
        self.ask(tenant, commands.resend(self.chance.choice(recorded) if recorded else NOWHERE))

    def issue(self, tenant):
        credential = "x" * LARGE if self.chance.random() < 0.005 else None
        self.send(commands.issuance(tenant, command_id=self.id(), credential=credential, credential_id=f"credential-{self.made}"))

    def create(self, tenant):
        if self.created[tenant] >= WEBHOOKS_MAX:
            return self.delete(tenant)
        self.created[tenant] += 1
        return self.ask(tenant, commands.create(self.url(tenant), self.events(), **self.members()))

    def update(self, tenant):
        disabled = self.chance.random() < 0.1
        operation = commands.update(self.webhook(tenant), self.url(tenant), self.events(), disabled, **self.members(keep_share=0.3))
        self.ask(tenant, operation)

    def delete(self, tenant):
        id = self.webhook(tenant)
        if id == NOWHERE:
            return
        self.created[tenant] -= 1
        self.deleted.add(id)
        self.ask(tenant, commands.delete(id))

    def retrieve(self, tenant):
        self.ask(tenant, commands.retrieve(self.webhook(tenant)))

    def list(self, tenant):
        self.ask(tenant, commands.retrieve_all(limit=self.chance.choice([None, 1, 2, 1000])))

    def test(self, tenant):
        self.ask(tenant, commands.send_test(self.webhook(tenant)))

    def rotate(self, tenant):
        self.ask(tenant, commands.rotate_key())

    def recover(self, tenant):
        self.ask(tenant, commands.recover(self.webhook(tenant), 0))

    def wrong(self, tenant):
        self.ask(
            tenant,
            self.chance.choice([
                commands.create("nowhere", ("NoSuchEvent",)),
                commands.create(self.url(tenant), ()),
                commands.retrieve(NOWHERE),
                commands.update("no uuid", "nowhere"),
                commands.retrieve_all(limit=0, cursor="!"),
            ]),
        )  # fmt: skip

    def repeat(self, _):
        if self.remembered:
            self.send(self.chance.choice(self.remembered))

    def conflict(self, tenant):
        if self.remembered:
            before = self.chance.choice(self.remembered)
            self.send(commands.command(before["tenantId"], commands.create(self.url(tenant)), command_id=before["commandId"]))

    def garbage(self, tenant):
        topics = ["webhook-admin", "credential-issuance", *(["webhook-events"] if self.stand.event_types else [])]
        self.writer.raw(self.chance.choice(topics), tenant, b"no record")
        self.dead_letters += 1

    def misplaced(self, tenant):
        """As by a producer with another partitioner. A worker of 0.1.0 makes a dead letter of it:
        nobody waits for its outcome where one takes part.
        """
        if self.stand.event_types and self.chance.random() < 0.3:
            topic, schema = "webhook-events", self.schemas.own_event
            value = commands.own_event(tenant, self.stand.event_types[0], command_id=self.id())
        elif self.chance.random() < 0.5:
            topic, schema, value = "credential-issuance", self.schemas.issuance, commands.issuance(tenant, command_id=self.id())
        else:
            topic, schema, value = "webhook-admin", self.schemas.command, commands.command(tenant, commands.retrieve_all(), command_id=self.id())
        right, count = partition_of(tenant.encode(), self.stand.partitions), self.stand.partitions
        key = tenant, value["commandId"]
        self.sent[key] += not self.stand.released
        self.stand.watch.asked[key] = time.monotonic()
        self.writer.raw(topic, tenant, schema.encode(value), partition=(right + self.chance.randrange(1, count)) % count)

    # The thread

    def step(self):
        tenant = self.chance.choices(self.tenants, self.weights)[0]
        getattr(self, self.chance.choices(list(self.mix), self.mix.values())[0])(tenant)
        self.writer.producer.poll(0)

    def begin(self):
        """Every tenant has a webhook or two before anything else."""
        for tenant in self.tenants * 2:
            self.create(tenant)
        self.writer.flush()
        self.thread.start()

    def run(self):
        due = time.monotonic()
        try:
            while not self.over.is_set():
                self.step()
                # Behind after a pause of the brokers: not made up for, or the brokers got it all at
                # once.
                due = max(due + self.chance.expovariate(self.rate), time.monotonic() - 1)
                self.over.wait(max(0, due - time.monotonic()))
        except Exception as failure:
            self.failure = failure

    def end(self):
        self.over.set()
        self.thread.join()
        if self.failure:
            raise self.failure
        self.writer.flush()
