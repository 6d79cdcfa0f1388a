"""A model of the registry: small, slow and in Python. It replays the inputs, and says which outputs
must be there.

A tenant's commands of one topic are replayed in their order. Between the two topics, and between
commands and the ends of deliveries, any order is right; the actual one is taken from
webhook-results, where all of a tenant's events lie in one partition.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from . import ids, rules
from .deliveries import PROCESS, Deliveries, Work
from .history import ADMIN

PUBLISH = "WEBHOOK_EVENT_PUBLISH_"
DISABLED = "WEBHOOK_DISABLED"


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
    written_ms: int | None  # for the last time


class _Replayer(Deliveries):
    # The order of replay

    def source(self, command):
        return self.history.cluster, self.history.prefix + command.topic, command.partition, command.offset

    def items(self):
        """{tenant: [(place, ...), item]} in the order of replay; an unanswered command stands
        behind the one before it, and the copy that ends one where it was answered.
        """
        items, last = defaultdict(list), {}
        dead = set(self.history.dead_letters)
        for number, command in enumerate(self.history.commands):
            if command.operation is None or command.place in dead:
                continue
            if command.resumes:
                if end := self.event(command, 1):
                    items[command.tenant].append((end.place, number, command))
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
                if number >= 0 and item.resumes:
                    self.end_work(tenant, item)
                elif number >= 0:
                    self.command(tenant, item)
                elif item.type == DISABLED:
                    self.disable(tenant, item)
                else:
                    self.step(item)
        for id in self.due if not self.history.released else ():
            self.complain("lives", f"delivery {id} was to be sent again, and no event says so")
        return self.out

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
        if not receipt or (now and receipt.written_ms and receipt.written_ms + self.history.settings.receipt_retention_ms <= now):
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
            tenant.receipts[command.id] = Receipt((command.operation, command.fields), answer, outcome, now, now)
        return answer

    def needs_newest(self, tenant, command):
        """Whether a worker of the release before could not read the outcome: a worker refuses it
        where it cannot ask the brokers who is in the group.
        """
        if command.operation in ("RetrieveSecret", "RotateSecret", "ResendDelivery"):
            return True
        if command.operation == "RecoverDeliveries":
            return any(command.fields.get(name) for name in ("until", "subject", "status"))
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
        if not rules.is_recovery(command.fields):
            return Answer(400)
        if refusal:
            return refusal
        if command.place in self.history.copies:
            self.works[tenant.name].append(Work(command, id, now))
            return Answer(202)
        revived = self.chosen(command.fields, id, self.end, None)[: rules.RECOVER_MAX]
        for delivery in revived:
            self.revive(delivery, now, self.end)
        return Answer(200, {"deliveries": len(revived)})

    def end_work(self, tenant, command):
        """The last turn of a recovery; `command` is the last copy."""
        work = next((w for w in self.works[tenant.name] if (w.command.id, w.command.content) == (command.id, command.content)), None)
        if not work:
            self.complain("answers", f"{command.operation} {command.id} was ended, and was not under way")
            return
        self.works[tenant.name].remove(work)
        self.end = self.event(command, 1)
        webhook, fields = tenant.webhooks.get(work.webhook), work.command.fields
        answer = Answer(409 if webhook else 404)
        if webhook and not webhook["disabled"]:
            rest = self.chosen(fields, work.webhook, self.end, work.begun_ms)
            for delivery in rest:
                self.revive(delivery, self.end.time_ms, self.end)
            answer = Answer(200, {"deliveries": work.count + len(rest)})
        self.out.looked["answers"] += 1
        self.compare(command, answer, self.end)
        receipt = tenant.receipts[command.id]
        receipt.answer, receipt.written_ms = answer, self.end.time_ms
        receipt.outcome = f"{rules.SUBJECTS[command.operation]}_{'SUCCESS' if answer.status < 400 else 'FAIL'}"

    def on_ResendDelivery(self, tenant, command, now):
        id = rules.webhook_id(command.fields["id"])
        delivery = self.out.deliveries.get(id)
        if id is None:
            return Answer(400)
        is_kept = delivery and delivery.tenant == tenant.name and delivery.status != "gone"
        if not is_kept or (delivery.status == "succeeded" and self.end and self.end.status == 404):
            return Answer(404)
        webhook = tenant.webhooks.get(delivery.webhook)
        if not webhook or webhook["disabled"]:
            return Answer(409)
        if delivery.status != "pending":
            self.revive(delivery, now, self.end)
        elif delivery.attempts > 0 and now and delivery.next_ms > now:
            self.due.add(id)
        return Answer(202, {"deliveryId": id})

    def on_IssueCredential(self, tenant, command, now):
        if not rules.is_issuance(command.fields):
            return Answer(400)
        facts = command.fields | {"subject": command.fields["credentialId"]}
        matches = rules.wants(tenant.webhooks, rules.SUBSCRIBABLE, facts)
        self.record(command, matches, now, facts["subject"])
        return Answer(200, {"deliveries": len(matches), "credentialId": command.fields["credentialId"]})

    def on_PublishEvent(self, tenant, command, now):
        if not rules.is_event(command.fields, self.history.settings.event_types):
            return Answer(400)
        name = command.fields["eventType"]
        matches = rules.wants(tenant.webhooks, [name], {"subject": command.fields["subject"]})
        self.record(command, matches, now, command.fields["subject"])
        answer = {"deliveries": len(matches), "eventType": name, "eventId": ids.event(command.tenant, command.id, name)}
        return Answer(202, answer)

    def disable(self, tenant, event):
        """Its endpoint disabled it, without a command: the records that follow show it."""
        webhook = tenant.webhooks.get(event.data["id"])
        if webhook and not webhook["disabled"]:
            webhook |= {"disabled": True, "updatedAt": event.data["updatedAt"]}
        else:
            self.complain("answers", f"webhook {event.data['id']} was disabled by its endpoint, and is {'disabled' if webhook else 'unknown'}")


def replay(history):
    return _Replayer(history).run()
