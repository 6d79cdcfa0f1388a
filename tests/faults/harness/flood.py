"""One tenant does its worst, while the others go on: all that it can ask for in numbers, in the
time that it takes to write it; and one asks for many deliveries again with one command.
"""

from env import commands
from env.kafka import CommandWriter

WEBHOOKS, ROTATIONS, ISSUANCES, PAGES, RECOVERIES = 300, 300, 150, 60, 60
RESENT = 2400  # deliveries of one recovery, which takes a turn for each thousand
URL = "https://flood.invalid/" + "x" * 2000
SUBSCRIBED = 20  # webhooks that take everything, at an endpoint that answers nothing but 500


class Flood:
    """Its commands, by a producer of its own; each is noted in `sent`, as the load's are: {(tenant,
    command id): how often}.
    """

    def __init__(self, stand, seed, sent):
        self.stand, self.sent = stand, sent
        self.tenant = f"f{seed}-flood"
        self.path = f"/{self.tenant}"
        self.url = f"http://127.0.0.1:{stand.receivers.ports[0]}{self.path}"
        self.writer = CommandWriter(stand.bootstrap, stand.prefix, stand.schemas)
        self.made = 0
        self.resender = f"{self.tenant}-resends"  # a tenant whose endpoint takes everything
        stand.receivers.ask(rules={self.path: [{"status": 500}]})

    def appease(self):
        self.stand.receivers.ask(rules={self.path: [{"status": 200}]})

    def note(self, tenant):
        self.made += 1
        id = f"flood-{self.made}"
        self.sent[tenant, id] += 1
        return id

    def ask(self, operation, tenant=None):
        tenant = tenant or self.tenant
        self.writer.command(commands.command(tenant, operation, command_id=self.note(tenant)))

    def issue(self, tenant=None):
        tenant = tenant or self.tenant
        self.writer.issuance(commands.issuance(tenant, command_id=self.note(tenant)))

    def living(self):
        """The webhooks that it has, as far as they are known; the newest last."""
        return self.stand.watch.webhooks[self.tenant] or ["00000000-0000-4000-8000-000000000000"]

    # Its ways, each at once

    def webhooks(self):
        """Many, large and disabled; and everything that is issued then looks through them."""
        for _ in range(WEBHOOKS):
            self.ask(commands.create(URL, (commands.ISSUED, commands.SUMMARY), disabled=True))
        for _ in range(ISSUANCES):
            self.issue()

    def keys(self):
        for _ in range(ROTATIONS):
            self.ask(commands.rotate_key())

    def fanout(self):
        """Each credential is many deliveries, all of which fail, die, and are called back."""
        for _ in range(SUBSCRIBED):
            self.ask(commands.create(self.url, (commands.ISSUED, commands.SUMMARY)))
        for _ in range(ISSUANCES // 10):
            self.issue()
        for n in range(RECOVERIES):
            living = self.living()
            self.ask(commands.recover(living[-1 - n % len(living)], 0))

    def pages(self):
        for _ in range(PAGES):
            self.ask(commands.retrieve_all(limit=1000))
        for n in range(PAGES):
            living = self.living()
            self.ask(commands.retrieve(living[n % len(living)]))

    def resends(self):
        """Everything that a webhook has taken, once more. It is deleted afterwards: the next one
        begins anew.
        """
        watch, tenant = self.stand.watch, self.resender
        before = len(watch.webhooks[tenant])
        self.ask(commands.create(f"{self.url}-taken", (commands.ISSUED, commands.SUMMARY)), tenant)
        self.writer.flush()
        self.wait(lambda: len(watch.webhooks[tenant]) > before)
        for _ in range(RESENT // 2):
            self.issue(tenant)
        self.writer.flush()
        for webhook in watch.webhooks[tenant][before:]:
            self.wait(lambda webhook=webhook: watch.succeeded[webhook] >= RESENT)
            self.ask(commands.recover(webhook, 0, status="succeeded"), tenant)
            self.wait(lambda webhook=webhook: watch.succeeded[webhook] >= 2 * RESENT)
            self.ask(commands.delete(webhook), tenant)

    def wait(self, condition):
        """Until it is true, or the run is over."""
        while not condition() and not self.stand.over.wait(0.2):
            pass

    def run(self, way):
        getattr(self, way)()
        self.writer.producer.poll(0)

    def unanswered(self):
        return self.stand.watch.unanswered({key: times for key, times in list(self.sent.items()) if key[0].startswith(self.tenant)})

    def end(self):
        self.writer.flush()
