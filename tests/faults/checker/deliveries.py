"""The part of the model that follows deliveries: by commands that record them or send them again,
and by the events of their attempts.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice, takewhile

from . import ids, rules

WITHDRAWN = ("webhook-deleted", "webhook-disabled")
PROCESS = "WEBHOOK_EVENT_"
RESEND = "WEBHOOK_EVENT_RESEND"
GONE = "status-410"


@dataclass
class Life:
    """From a delivery's recording, or from where it was sent again, to its end."""

    opened: object  # the answer of the command that began it, None where there is none
    is_recorded: bool
    retries: list = field(default_factory=list)
    resends: list = field(default_factory=list)  # while it was pending: due at once
    end: object = None


@dataclass
class Delivery:
    id: str
    tenant: str
    webhook: str
    command: str
    event_type: str
    subject: str | None = None
    status: str = "pending"  # "dead"; "succeeded", where it may be kept; "gone"
    attempts: int = 0
    next_ms: int | None = None  # of one that ended: when it did
    lives: list = field(default_factory=list)


@dataclass
class Work:
    """A recovery that takes several turns."""

    command: object  # its record
    webhook: str
    begun_ms: int
    count: int = 0  # of its deliveries, so far


@dataclass
class Replay:
    tenants: dict = field(default_factory=dict)
    deliveries: dict = field(default_factory=dict)
    wrong: dict = field(default_factory=lambda: defaultdict(list))  # property: what did not fit
    looked: dict = field(default_factory=lambda: defaultdict(int))


class Deliveries:
    def __init__(self, history):
        self.history = history
        self.out = Replay()
        self.places = [event.place for event in history.events]
        self.claimed = set()
        self.due = set()  # deliveries of which a RESEND is yet to come
        self.ended = defaultdict(dict)  # webhook id: {delivery id: Delivery}, dead or succeeded
        self.works = defaultdict(list)  # tenant: recoveries that go on
        self.pending = Counter()  # by tenant
        self.end = None  # of the command at hand

    def complain(self, what, text):
        self.out.wrong[what].append(text)

    def event(self, command, index):
        return self.history.answer_of(command, index)

    # Recorded, or sent again

    def begin(self, delivery, now, life):
        self.ended[delivery.webhook].pop(delivery.id, None)
        delivery.status, delivery.attempts, delivery.next_ms = "pending", 0, now
        self.pending[delivery.tenant] += 1
        delivery.lives.append(life)

    def revive(self, delivery, now, opened):
        self.begin(delivery, now, Life(opened, is_recorded=False))
        self.due.add(delivery.id)

    def resent(self, event):
        """It is due again: by a command, which revived it, or which found it pending; or by one
        that goes on.
        """
        delivery = self.out.deliveries.get(event.data["deliveryId"])
        if delivery and delivery.status in ("dead", "succeeded"):
            self.take_on(delivery, event)
        known = delivery and delivery.status == "pending" and delivery.attempts == event.data["attempt"]
        if not known or delivery.id not in self.due:
            self.complain("lives", f"{event.type} of delivery {event.data['deliveryId']}, which is {delivery.status if delivery else 'unknown'}")
            return
        self.due.discard(delivery.id)
        if delivery.attempts > 0:
            delivery.next_ms = event.data["nextAttemptAt"]
            delivery.lives[-1].resends.append(event)

    def take_on(self, delivery, event):
        """By the recovery under way that chooses it. In its first turn it may choose what ended by
        a clock that was ahead.
        """
        for work in self.works[delivery.tenant]:
            begun_ms = None if self.history.clock else work.begun_ms
            if work.webhook == delivery.webhook and self.is_chosen(delivery, work.command.fields, begun_ms):
                work.count += 1
                self.revive(delivery, event.time_ms, event)
                return

    def record(self, command, matches, now, subject=None):
        """A delivery that is pending already (its command came twice) is not recorded again."""
        wanted = set()
        for webhook, event_type in matches:
            id = ids.delivery(command.tenant, command.id, event_type, webhook)
            delivery = self.out.deliveries.setdefault(id, Delivery(id, command.tenant, webhook, command.id, event_type, subject, "new"))
            if delivery.status == "pending":
                continue
            self.begin(delivery, now, Life(self.end, is_recorded=True))
            wanted.add(id)
        told = {event.id: event.data["deliveryId"] for n in range(len(wanted)) if (event := self.event(command, 2 + n)) and event.data}
        self.claimed.update(told)
        self.out.looked["recorded"] += len(wanted)
        if set(told.values()) != wanted:
            missing, extra = wanted - set(told.values()), set(told.values()) - wanted
            self.complain("recorded", f"{command.operation} {command.id}: not recorded {sorted(missing)}, recorded {sorted(extra)}")

    def chosen(self, fields, webhook, end, begun_ms):
        """What a recovery, or its last turn, has to send again, the oldest first. Who succeeded may
        not have been kept: of those it is what was sent.
        """
        found = [d for d in self.ended[webhook].values() if self.is_chosen(d, fields, begun_ms)]
        if fields.get("status") == "succeeded":
            told = self.told_behind(end)
            found = [delivery for delivery in found if delivery.id in told]
        return sorted(found, key=lambda delivery: delivery.next_ms)

    @staticmethod
    def is_chosen(delivery, fields, begun_ms):
        """One that died again while a recovery goes on is not its concern."""
        until = min(fields.get("until") or rules.LAST_MS, begun_ms or rules.LAST_MS)
        return (
            delivery.status == (fields.get("status") or "dead")
            and fields["since"] <= delivery.next_ms <= until
            and fields.get("subject") in (None, delivery.subject)
        )

    def told_behind(self, end):
        """The deliveries that the events right behind an outcome tell to be due again."""
        if end is None:
            return set()
        place = bisect_right(self.places, end.place)
        resends = takewhile(lambda event: event.partition == end.partition and event.type == RESEND, islice(self.history.events, place, None))
        return {event.data["deliveryId"] for event in resends}

    # Their events

    def step(self, event):
        name = event.type.removeprefix(PROCESS)
        id = event.data["deliveryId"]
        if name == "RECEIVE":
            if event.id not in self.claimed:
                self.complain("recorded", f"delivery {id} was recorded by no command (event {event.id})")
            return
        self.out.looked["lives"] += 1
        if name == "RESEND":
            self.resent(event)
            return
        delivery = self.out.deliveries.get(id)
        if not delivery or delivery.status != "pending":
            self.complain("lives", f"{event.type} of delivery {id}, which is {delivery.status if delivery else 'unknown'}")
            return
        withdrawn = name == "PROCESS_FAIL" and event.data["reason"] in WITHDRAWN
        ended = withdrawn or (name == "PROCESS_FAIL" and event.data["reason"] == GONE)
        expected = delivery.attempts + (not withdrawn)
        if event.data["attempt"] != expected:
            self.complain("lives", f"{event.type} of delivery {id}: attempt {event.data['attempt']} where {expected} comes next")
        getattr(self, "end_" + name)(delivery, event, ended)
        self.pending[delivery.tenant] -= delivery.status != "pending"

    def end_RETRY(self, delivery, event, _):
        if event.data["attempt"] > len(self.history.settings.schedule_ms):
            self.complain("lives", f"delivery {delivery.id}: another attempt where the schedule is over")
        delivery.attempts, delivery.next_ms = event.data["attempt"], event.data["nextAttemptAt"]
        delivery.lives[-1].retries.append(event)

    def end_PROCESS_SUCCESS(self, delivery, event, _):
        delivery.status, delivery.attempts, delivery.next_ms = "gone", event.data["attempt"], event.time_ms
        delivery.lives[-1].end = event
        if self.history.settings.succeeded_retention_ms:
            delivery.status = "succeeded"
            self.ended[delivery.webhook][delivery.id] = delivery

    def end_PROCESS_FAIL(self, delivery, event, ended):
        if not ended and event.data["attempt"] <= len(self.history.settings.schedule_ms):
            self.complain("lives", f"delivery {delivery.id} died of attempt {event.data['attempt']}, before its schedule was over")
        delivery.status, delivery.attempts, delivery.next_ms = "gone" if ended else "dead", event.data["attempt"], event.time_ms
        delivery.lives[-1].end = event
        if not ended:
            self.ended[delivery.webhook][delivery.id] = delivery
