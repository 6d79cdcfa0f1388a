"""A model of the registry: small, slow and in Python. It replays the inputs, and says which outputs
must be there.

A tenant's commands of one topic are replayed in their order. Between the two topics, and between
commands and the ends of deliveries, any order is right; the actual one is taken from
webhook-results, where all of a tenant's events lie in one partition.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from . import ids, rules
from .history import ADMIN

WITHDRAWN = ("webhook-deleted", "webhook-disabled")
PROCESS = "WEBHOOK_EVENT_"
PUBLISH = "WEBHOOK_EVENT_PUBLISH_"
DISABLED = "WEBHOOK_DISABLED"
GONE = "status-410"


@dataclass
class Life:
    """From a delivery's recording (or its recovery) to its end."""

    opened: object  # the answer of the command that began it, None where there is none
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
    status: str = "pending"  # "dead", "gone"
    attempts: int = 0
    next_ms: int | None = None  # of a dead one: when it died
    lives: list = field(default_factory=list)


@dataclass
class Answer:
    """The answer that a command must get; of `data` only the named members are compared."""

    status: int
    data: dict = field(default_factory=dict)
    repeat: bool = False


@dataclass
class Tenant:
    name: str
    webhooks: dict = field(default_factory=dict)  # id: fields
    secrets: dict = field(default_factory=dict)  # id: how often its HMAC secret was rotated
    keys: list = field(default_factory=list)  # {"epoch", "createdAt", "expiresAt"}
    receipts: dict = field(default_factory=dict)  # command id: Receipt


@dataclass
class Receipt:
    content: tuple
    answer: Answer
    outcome: str
    created_ms: int | None


@dataclass
class Replay:
    tenants: dict = field(default_factory=dict)
    deliveries: dict = field(default_factory=dict)
    wrong: dict = field(default_factory=lambda: defaultdict(list))  # property: what did not fit
    looked: dict = field(default_factory=lambda: defaultdict(int))


class _Replayer:
    def __init__(self, history):
        self.history = history
        self.out = Replay()
        self.by_id = {event.id: event for event in history.events}
        self.claimed = set()
        self.revived = set()  # deliveries of which a RESEND is yet to come
        self.dead = defaultdict(dict)  # webhook id: {delivery id: Delivery}
        self.pending = Counter()  # by tenant
        self.end = None  # of the command at hand

    # The order of replay

    def source(self, command):
        return self.history.cluster, self.history.prefix + command.topic, command.partition, command.offset

    def event(self, command, index):
        return self.by_id.get(ids.analytic_event(self.source(command), index))

    def items(self):
        """{tenant: [(place, ...), item]} in the order of replay; an unanswered command stands
        behind the one before it.
        """
        items, last = defaultdict(list), {}
        dead = set(self.history.dead_letters)
        for number, command in enumerate(self.history.commands):
            if command.operation is None or command.place in dead:
                continue
            line = command.topic, command.tenant
            start = self.event(command, 0)
            last[line] = max(last.get(line, (-1, -1)), start.place if start else (-1, -1))
            items[command.tenant].append((last[line], number, command))
        for event in self.history.events:
            if (event.type.startswith(PROCESS) and not event.type.startswith(PUBLISH)) or event.type == DISABLED:
                items[event.tenant].append((event.place, -1, event))
        return {tenant: sorted(found, key=lambda item: item[:2]) for tenant, found in items.items()}

    def run(self):
        for name, items in self.items().items():
            tenant = self.out.tenants.setdefault(name, Tenant(name))
            for _, number, item in items:
                if number >= 0:
                    self.command(tenant, item)
                elif item.type == DISABLED:
                    self.disable(tenant, item)
                else:
                    self.step(item)
        return self.out

    def complain(self, what, text):
        self.out.wrong[what].append(text)

    # Commands

    def command(self, tenant, command):
        start, end = self.event(command, 0), self.event(command, 1)
        self.end = end
        now = (end or start).time_ms if end or start else None
        answer = self.answer_again(tenant, command, now) or self.apply(tenant, command, now)
        if end:
            self.out.looked["answers"] += 1
            self.compare(command, answer, end)

    def answer_again(self, tenant, command, now):
        receipt = tenant.receipts.get(command.id) if command.topic == ADMIN else None
        if not receipt or (now and receipt.created_ms and receipt.created_ms + self.history.settings.receipt_retention_ms <= now):
            return None
        if receipt.content == (command.operation, command.fields):
            return Answer(receipt.answer.status, receipt.answer.data, repeat=True)
        return Answer(409)

    def apply(self, tenant, command, now):
        operation = getattr(self, "on_" + command.operation)
        if not rules.is_envelope(command):
            answer = Answer(400)
        elif self.end and self.end.status == rules.TOO_NEW and self.needs_newest(tenant, command):
            return Answer(rules.TOO_NEW)  # without a receipt
        elif self.end and self.end.status in rules.LIMITED and self.is_large(tenant, command, now):
            answer = Answer(self.end.status)
        else:
            answer = operation(tenant, command, now)
        if command.topic == ADMIN and rules.is_command_id(command.id) and command.operation not in rules.READS:
            outcome = f"{rules.SUBJECTS[command.operation]}_{'SUCCESS' if answer.status < 400 else 'FAIL'}"
            tenant.receipts[command.id] = Receipt((command.operation, command.fields), answer, outcome, now)
        return answer

    def needs_newest(self, tenant, command):
        """Whether a worker of the release before could not read the outcome: a worker refuses it
        where it cannot ask the brokers who is in the group.
        """
        if command.operation in ("RetrieveSecret", "RotateSecret", "ResendDelivery"):
            return True
        if command.operation not in ("CreateWebhook", "UpdateWebhook") or not self.is_webhook(command):
            return False
        keeps_secret = rules.webhook_id(command.fields.get("id")) in tenant.secrets
        return bool(keeps_secret or rules.members(command.fields) or set(command.fields["events"]) - set(rules.SUBSCRIBABLE))

    def is_large(self, tenant, command, now):
        """Whether the tenant has enough to be refused more: a refusal that changes nothing is then
        as good as an answer.
        """
        match command.operation:
            case "CreateWebhook":
                return self.is_webhook(command) and len(tenant.webhooks) >= rules.WEBHOOKS_LEAST
            case "RotateSigningKey":
                return sum(key["expiresAt"] is None or key["expiresAt"] > (now or 0) for key in tenant.keys) >= rules.KEYS_LEAST
            case "IssueCredential" | "PublishEvent":
                return self.pending[tenant.name] >= rules.PENDING_LEAST
            case "TestWebhook" | "RecoverDeliveries":
                _, refusal = self.find_enabled(tenant, command)
                return not refusal and self.pending[tenant.name] >= rules.PENDING_LEAST
            case "ResendDelivery":
                return self.pending[tenant.name] >= rules.PENDING_LEAST
        return False

    def compare(self, command, answer, end):
        at = f"{command.operation} {command.id} at {command.topic}[{command.partition}]@{command.offset}"
        step = "SUCCESS" if answer.status < 400 else "FAIL"
        wanted = f"{rules.SUBJECTS[command.operation]}_{step}", answer.status, answer.repeat
        got = end.type, end.status, end.repeat
        if got != wanted:
            self.complain("answers", f"{at}: answered {got}, the model says {wanted}")
            return
        shown = dict(end.data or {})
        if "members" in answer.data:
            shown["members"] = rules.members(shown)
        if "page" in answer.data:
            shown["page"] = self.page_shown(answer, shown)
        for name, value in answer.data.items():
            if value is not None and shown.get(name) != value:
                self.complain("answers", f"{at}: {name} is {shown.get(name)!r}, the model says {value!r}")

    def page_shown(self, answer, shown):
        """(ids, whether another follows); a page that ended early, as a large one may, matches the
        page of which it is the beginning.
        """
        page, (wanted, more) = ([item["id"] for item in shown["data"]], shown["nextCursor"] is not None), answer.data["page"]
        early = page[1] and 0 < len(page[0]) < len(wanted) and page[0] == wanted[: len(page[0])]
        return (wanted, more) if early and rules.may_end_early({item["id"]: item for item in shown["data"]}, page[0]) else page

    def is_webhook(self, command):
        return rules.is_webhook(command.fields, self.history.settings.event_types)

    def on_CreateWebhook(self, tenant, command, now):
        if not self.is_webhook(command) or rules.keeps_unknown_header(command.fields, ()):
            return Answer(400)
        id = ids.webhook(self.source(command), command.tenant, command.id)
        if not tenant.keys:
            tenant.keys.append({"epoch": 1, "createdAt": now, "expiresAt": None})
        self.put(tenant, id, command, now, now)
        return Answer(201, {"id": id} | tenant.webhooks[id])

    @staticmethod
    def put(tenant, id, command, created, updated):
        """It has a secret from the first time that its signatures need one."""
        fields = {name: command.fields[name] for name in ("events", "url", "disabled")}
        fields |= {"createdAt": created, "updatedAt": updated, "members": rules.members(command.fields)}
        tenant.webhooks[id] = fields
        if rules.HMAC in fields["members"].get("signatures", ()):
            tenant.secrets.setdefault(id, 0)

    @staticmethod
    def find(tenant, command):
        """(id, None), or (None, the refusal)."""
        id = rules.webhook_id(command.fields["id"])
        if id is None:
            return None, Answer(400)
        return (id, None) if id in tenant.webhooks else (None, Answer(404))

    def find_enabled(self, tenant, command):
        id, refusal = self.find(tenant, command)
        if id and tenant.webhooks[id]["disabled"]:
            return None, Answer(409)
        return id, refusal

    def on_RetrieveWebhook(self, tenant, command, _):
        id, refusal = self.find(tenant, command)
        return refusal or Answer(200, {"id": id} | tenant.webhooks[id])

    def on_RetrieveWebhooks(self, tenant, command, _):
        if not rules.is_page(command.fields):
            return Answer(400)
        return Answer(200, {"page": rules.page(tenant.webhooks, command.fields)})

    def on_UpdateWebhook(self, tenant, command, now):
        id, refusal = self.find(tenant, command)
        if not self.is_webhook(command):
            return Answer(400)
        if refusal:
            return refusal
        if rules.keeps_unknown_header(command.fields, tenant.webhooks[id]["members"].get("headers", ())):
            return Answer(400)
        self.put(tenant, id, command, tenant.webhooks[id]["createdAt"], now)
        return Answer(200, {"id": id} | tenant.webhooks[id])

    def on_DeleteWebhook(self, tenant, command, _):
        id, refusal = self.find(tenant, command)
        if refusal:
            return refusal
        del tenant.webhooks[id]
        tenant.secrets.pop(id, None)
        return Answer(204)

    def find_secret(self, tenant, command):
        id, refusal = self.find(tenant, command)
        if id and rules.HMAC not in tenant.webhooks[id]["members"].get("signatures", ()):
            return None, Answer(409)
        return id, refusal

    def on_RetrieveSecret(self, tenant, command, _):
        id, refusal = self.find_secret(tenant, command)
        return refusal or Answer(200, {"epoch": tenant.secrets[id] + 1})

    def on_RotateSecret(self, tenant, command, now):
        id, refusal = self.find_secret(tenant, command)
        if refusal:
            return refusal
        tenant.secrets[id] += 1
        tenant.webhooks[id]["updatedAt"] = now
        return Answer(201, {"epoch": tenant.secrets[id] + 1, "secret": None})

    def on_TestWebhook(self, tenant, command, now):
        id, refusal = self.find_enabled(tenant, command)
        if refusal:
            return refusal
        self.record(command, [(id, rules.TEST)], now)
        return Answer(202, {"deliveryId": ids.delivery(command.tenant, command.id, rules.TEST, id), "webhookId": id})

    def on_RotateSigningKey(self, tenant, _, now):
        if tenant.keys and now is not None:
            tenant.keys[-1]["expiresAt"] = now + self.history.settings.key_overlap_ms
        tenant.keys.append({"epoch": len(tenant.keys) + 1, "createdAt": now, "expiresAt": None})
        return Answer(201, {"createdAt": now})

    def on_RecoverDeliveries(self, tenant, command, now):
        id, refusal = self.find_enabled(tenant, command)
        if command.fields["since"] < 0:
            return Answer(400)
        if refusal:
            return refusal
        dead = [delivery for delivery in self.dead[id].values() if delivery.next_ms >= command.fields["since"]]
        revived = sorted(dead, key=lambda delivery: delivery.next_ms)[: rules.RECOVER_MAX]
        for delivery in revived:
            self.revive(delivery, now)
        return Answer(200, {"deliveries": len(revived)})

    def on_ResendDelivery(self, tenant, command, now):
        id = rules.webhook_id(command.fields["id"])
        delivery = self.out.deliveries.get(id)
        if id is None:
            return Answer(400)
        if not delivery or delivery.tenant != tenant.name or delivery.status not in ("pending", "dead"):
            return Answer(404)
        webhook = tenant.webhooks.get(delivery.webhook)
        if not webhook or webhook["disabled"]:
            return Answer(409)
        if delivery.status == "dead":
            self.revive(delivery, now)
        return Answer(202, {"deliveryId": id})

    def on_IssueCredential(self, tenant, command, now):
        if not rules.is_issuance(command.fields):
            return Answer(400)
        facts = command.fields | {"subject": command.fields["credentialId"]}
        matches = rules.wants(tenant.webhooks, rules.SUBSCRIBABLE, facts)
        self.record(command, matches, now)
        return Answer(200, {"deliveries": len(matches), "credentialId": command.fields["credentialId"]})

    def on_PublishEvent(self, tenant, command, now):
        if not rules.is_event(command.fields, self.history.settings.event_types):
            return Answer(400)
        name = command.fields["eventType"]
        matches = rules.wants(tenant.webhooks, [name], {"subject": command.fields["subject"]})
        self.record(command, matches, now)
        answer = {"deliveries": len(matches), "eventType": name, "eventId": ids.event(command.tenant, command.id, name)}
        return Answer(202, answer)

    # Deliveries

    def begin(self, delivery, now):
        self.dead[delivery.webhook].pop(delivery.id, None)
        delivery.status, delivery.attempts, delivery.next_ms = "pending", 0, now
        self.pending[delivery.tenant] += 1
        delivery.lives.append(Life(self.end))

    def revive(self, delivery, now):
        self.begin(delivery, now)
        self.revived.add(delivery.id)

    def resent(self, event):
        """It is due again: by a command, which revived it, or which found it pending."""
        delivery = self.out.deliveries.get(event.data["deliveryId"])
        known = delivery and delivery.status == "pending" and delivery.attempts == event.data["attempt"]
        if known and delivery.attempts == 0 and delivery.id in self.revived:
            self.revived.discard(delivery.id)
        elif known and delivery.attempts > 0:
            delivery.next_ms = event.data["nextAttemptAt"]
            delivery.lives[-1].resends.append(event)
        else:
            self.complain("lives", f"{event.type} of delivery {event.data['deliveryId']}, which is {delivery.status if delivery else 'unknown'}")

    def record(self, command, matches, now):
        """A delivery that is pending already (its command came twice) is not recorded again."""
        wanted = set()
        for webhook, event_type in matches:
            id = ids.delivery(command.tenant, command.id, event_type, webhook)
            delivery = self.out.deliveries.setdefault(id, Delivery(id, command.tenant, webhook, command.id, event_type, "new"))
            if delivery.status == "pending":
                continue
            self.begin(delivery, now)
            wanted.add(id)
        told = {event.id: event.data["deliveryId"] for n in range(len(wanted)) if (event := self.event(command, 2 + n)) and event.data}
        self.claimed.update(told)
        self.out.looked["recorded"] += len(wanted)
        if set(told.values()) != wanted:
            missing, extra = wanted - set(told.values()), set(told.values()) - wanted
            self.complain("recorded", f"{command.operation} {command.id}: not recorded {sorted(missing)}, recorded {sorted(extra)}")

    def disable(self, tenant, event):
        """Its endpoint disabled it, without a command: the records that follow show it."""
        webhook = tenant.webhooks.get(event.data["id"])
        if webhook and not webhook["disabled"]:
            webhook |= {"disabled": True, "updatedAt": event.data["updatedAt"]}
        else:
            self.complain("answers", f"webhook {event.data['id']} was disabled by its endpoint, and is {'disabled' if webhook else 'unknown'}")

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

    @staticmethod
    def end_PROCESS_SUCCESS(delivery, event, _):
        delivery.status = "gone"
        delivery.lives[-1].end = event

    def end_PROCESS_FAIL(self, delivery, event, ended):
        if not ended and event.data["attempt"] <= len(self.history.settings.schedule_ms):
            self.complain("lives", f"delivery {delivery.id} died of attempt {event.data['attempt']}, before its schedule was over")
        delivery.status, delivery.attempts, delivery.next_ms = "gone" if ended else "dead", event.data["attempt"], event.time_ms
        delivery.lives[-1].end = event
        if not ended:
            self.dead[delivery.webhook][delivery.id] = delivery


def replay(history):
    return _Replayer(history).run()
