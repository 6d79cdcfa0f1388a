"""A history that never happened, in which everything is right: the tests of the checker spoil it,
one thing at a time.
"""

import hashlib
import json
from dataclasses import replace

from checker import changelog, ids, rules, told
from checker.history import ADMIN, ISSUANCE, OWN, Callback, Change, Command, Event, History, Offset, Sighting, Told
from checker.run import Settings

STORES = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
TENANTS = ("acme", "b/50%")  # one in each partition
OWN_TYPE = "DegreeRevoked"
SETTINGS = Settings(schedule_ms=(5000, 10000), jitter=0.2, succeeded_retention_ms=3_600_000, event_types=(OWN_TYPE,))
START_MS = 1_800_000_000_000


class Story:
    """One clock, one worker, two partitions; each commit takes 20 ms and is seen 30 ms later."""

    def __init__(self):
        self.history = History("cluster", "t-", 2, SETTINGS)
        self.now = START_MS
        self.ends = {}  # offsets of topics
        self.positions = {}
        self.unseen = []
        self.records = {0: 0, 1: 0}
        self.epochs = {}

    def offset(self, topic, partition, step=1):
        at = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = at + step
        return at

    # What a worker writes

    def event(self, tenant, id, type, **fields):
        partition = TENANTS.index(tenant)
        event = Event(partition, self.offset("results", partition), id, type, tenant, self.now, **fields)
        self.history.events.append(event)
        self.unseen.append(("results", partition, event.offset, id))
        return event

    def change(self, partition, key, value):
        change = Change(partition, self.offset("state", partition), self.now, key, value)
        self.history.changes.append(change)
        self.unseen.append(("state", partition, change.offset, key))
        self.records[partition] += 1

    def commit(self, partition):
        sequence = self.positions.get(partition, 0) + 1
        self.positions[partition] = sequence
        count = self.records[partition]
        reached = {topic: self.ends.get((topic, partition), 0) for topic in (ADMIN, ISSUANCE, OWN)}
        position = {
            "storeId": STORES[partition],
            "sequence": sequence,
            "generation": 1 + sequence // 4,
            "memberId": "worker-1",
            "adminOffset": reached[ADMIN],
            "issuanceOffset": reached[ISSUANCE],
            "recordCount": count,
            "timestamp": self.now,
        }
        if reached[OWN]:
            position["eventOffset"] = reached[OWN]
        else:
            del reached[OWN]
        self.change(partition, "position", position)
        self.records[partition] = 0
        for topic, end in reached.items():
            self.history.offsets[topic, partition] = Offset(end, f"{STORES[partition]}/{sequence}")
        for topic in ("results", "state"):
            self.offset(topic, partition)  # the transaction's marker
        self.now += 20
        self.history.sightings += [Sighting((self.now + 30) / 1000, *what) for what in self.unseen]
        self.unseen.clear()

    # Commands

    def ask(self, tenant, operation, fields, id=None, topic=ADMIN):
        """The command, with its START; the rest of its answer follows."""
        partition = TENANTS.index(tenant)
        command = Command(topic, partition, self.offset(topic, partition), tenant, id or f"command-{len(self.history.commands)}", operation, fields)
        self.history.commands.append(command)
        self.answer_with(command, 0, "START")
        return command

    def misplace(self, tenant, content):
        """A command in the other partition than the tenant's, which is handed on and answered."""
        here = TENANTS.index(tenant)
        other = 1 - here
        lost = Command(ADMIN, other, self.offset(ADMIN, other), tenant, f"command-{len(self.history.commands)}", misplaced=True, content=content)
        self.history.commands.append(lost)
        self.commit(other)
        copy = self.ask(tenant, "RetrieveWebhook", {"id": "none"}, id=lost.id)
        copy.came_from, copy.content = (lost.partition, lost.offset), content
        self.answer(copy, 400, {"code": "BadRequest"})
        self.commit(here)

    def id_of(self, command, index):
        return ids.analytic_event(("cluster", "t-" + command.topic, command.partition, command.offset), index)

    def answer_with(self, command, index, step, **fields):
        type = f"{rules.SUBJECTS[command.operation]}_{step}"
        return self.event(command.tenant, self.id_of(command, index), type, command=command.id, **fields)

    def answer(self, command, status, data=None, repeat=False):
        event = self.answer_with(command, 1, "SUCCESS" if status < 400 else "FAIL", status=status, data=data, repeat=repeat)
        if command.topic == ADMIN and not repeat and status != 409 and command.operation not in rules.READS:
            receipt = {
                "tenantId": command.tenant,
                "commandId": command.id,
                "fingerprint": b"0123456789abcdef",
                "outcome": event.type,
                "status": status,
                "data": data,
                "createdAt": self.now,
                "expiresAt": self.now + SETTINGS.receipt_retention_ms,
            }
            name = command.tenant.replace("%", "%25").replace("/", "%2F")
            self.change(command.partition, f"receipt/{name}/{command.id}", receipt)

    def key(self, tenant, epoch, expires=None):
        x = hashlib.sha256(f"{tenant} {epoch}".encode()).digest()
        kid = changelog._thumbprint(x)
        created = self.epochs.setdefault((tenant, epoch), self.now)
        value = {"tenantId": tenant, "kid": kid, "x": x, "masterKeyId": "m", "epoch": epoch, "createdAt": created, "expiresAt": expires}
        self.change(TENANTS.index(tenant), f"key/{tenant.replace('%', '%25').replace('/', '%2F')}/{kid}", value)
        return kid

    def put(self, tenant, webhook):
        name = tenant.replace("%", "%25").replace("/", "%2F")
        self.change(TENANTS.index(tenant), f"webhook/{name}/{webhook['id']}", webhook | {"tenantId": tenant})

    def create(self, tenant, events=(rules.ISSUED,), url="http://127.0.0.1:1/hook", members=None, **fields):
        command = self.ask(tenant, "CreateWebhook", {"events": list(events), "url": url, "disabled": False} | (members or {}), **fields)
        id = ids.webhook(("cluster", "t-" + ADMIN, command.partition, command.offset), tenant, command.id)
        webhook = {"id": id, **command.fields, "createdAt": self.now, "updatedAt": self.now}
        if (tenant, 1) not in self.epochs:
            self.key(tenant, 1)
        if members:
            webhook |= {"headers": [{"name": header["name"]} for header in members["headers"]]}
            sealed = [header | {"sealed": b"0123456789abcdef and its value"} for header in webhook["headers"]]
            self.put(tenant, webhook | {"headers": sealed, "secretMasterKeyId": "m", "secretEpoch": 0})
        else:
            self.put(tenant, webhook)
        self.answer(command, 201, webhook)
        self.commit(command.partition)
        return webhook

    def issue(self, tenant, webhook):
        """An issued credential, and the delivery that it records."""
        fields = {
            **dict.fromkeys(("userId", "credentialOfferId", "sessionId", "claims")),
            **{name: name for name in ("credentialId", "credentialConfigurationId", "credentialProfile", "format")},
            "credential": '"x"',
        }
        command = self.ask(tenant, "IssueCredential", fields, topic=ISSUANCE)
        answer = {"credentialId": "credentialId", "deliveries": 1}
        return self.record(command, webhook, rules.ISSUED, 200, lambda _: answer)

    def publish(self, tenant, webhook, subject=None):
        """An event of one's own, which the webhook takes, if there is one."""
        command = self.ask(tenant, "PublishEvent", {"eventType": OWN_TYPE, "subject": subject, "payload": "{}"}, topic=OWN)
        answer = {"eventId": ids.event(tenant, command.id, OWN_TYPE), "eventType": OWN_TYPE, "deliveries": int(webhook is not None)}
        if webhook:
            return self.record(command, webhook, OWN_TYPE, 202, lambda _: answer)
        self.answer(command, 202, answer)
        return self.commit(command.partition)

    def rotate_secret(self, tenant, webhook):
        command = self.ask(tenant, "RotateSecret", {"id": webhook["id"]})
        latest = [change.value for change in self.history.changes if change.key.endswith(webhook["id"]) and change.value][-1]
        self.put(tenant, latest | {"secretEpoch": latest["secretEpoch"] + 1, "updatedAt": self.now})
        self.answer(command, 201, {"epoch": latest["secretEpoch"] + 2, "secret": None})
        self.commit(command.partition)

    def test(self, tenant, webhook):
        command = self.ask(tenant, "TestWebhook", {"id": webhook["id"]})
        return self.record(command, webhook, rules.TEST, 202, lambda delivery: self.report(delivery, 0))

    def record(self, command, webhook, event_type, status, answer):
        tenant = command.tenant
        id = ids.delivery(tenant, command.id, event_type, webhook["id"])
        delivery = {
            "id": id,
            "eventId": ids.event(tenant, command.id, event_type),
            "webhookId": webhook["id"],
            "tenantId": tenant,
            "commandId": command.id,
            "eventType": event_type,
            "body": "{}",
            "status": "pending",
            "attempts": 0,
            "lastStatus": None,
            "createdAt": self.now,
            "nextAttemptAt": self.now,
        }
        self.change(command.partition, f"delivery/{id}", delivery)
        self.answer(command, status, answer(delivery))
        data = self.report(delivery, 0) | {"nextAttemptAt": self.now}
        self.event(tenant, self.id_of(command, 2), "WEBHOOK_EVENT_RECEIVE", data=data)
        self.commit(command.partition)
        return delivery

    # Deliveries

    @staticmethod
    def report(delivery, attempt, status=None, reason=None):
        return {
            "deliveryId": delivery["id"],
            "webhookId": delivery["webhookId"],
            "eventType": delivery["eventType"],
            "attempt": attempt,
            "status": status,
            "reason": reason,
            "durationMs": None if status is None else 3,
            "nextAttemptAt": None,
        }

    def send(self, delivery, answered):
        self.history.callbacks.append(
            Callback(
                (self.now + 5) / 1000,
                delivery["id"],
                self.now // 1000,
                delivery["id"],
                delivery["webhookId"],
                delivery["eventId"],
                delivery["id"].encode(),
                answered,
            )
        )
        self.now += 10

    def attempt(self, delivery, answered):
        """One attempt and its committed outcome."""
        self.now = max(self.now, delivery["nextAttemptAt"])
        self.send(delivery, answered)
        number, tenant = delivery["attempts"] + 1, delivery["tenantId"]
        partition = TENANTS.index(tenant)
        report = self.report(delivery, number, answered, None if answered < 300 else f"status-{answered}")
        if answered < 300:
            step = "PROCESS_SUCCESS"
            delivery |= {"attempts": number, "lastStatus": answered, "status": "succeeded", "nextAttemptAt": self.now}
            self.change(partition, f"delivery/{delivery['id']}", dict(delivery))
        else:
            is_dead = number > len(SETTINGS.schedule_ms)
            step = "PROCESS_FAIL" if is_dead else "RETRY"
            next_ms = self.now if is_dead else self.now + SETTINGS.schedule_ms[number - 1]
            delivery |= {"attempts": number, "lastStatus": answered, "status": "dead" if is_dead else "pending", "nextAttemptAt": next_ms}
            self.change(partition, f"delivery/{delivery['id']}", dict(delivery))
            report["nextAttemptAt"] = None if is_dead else next_ms
        self.event(tenant, f"{step} {number} {delivery['id']} {self.now}", f"WEBHOOK_EVENT_{step}", data=report)
        self.commit(partition)

    def revive(self, delivery):
        """One that ended is as if just recorded, a pending one is due now."""
        if delivery["status"] != "pending":
            delivery |= {"status": "pending", "attempts": 0, "lastStatus": None}
        delivery |= {"nextAttemptAt": self.now}
        self.change(TENANTS.index(delivery["tenantId"]), f"delivery/{delivery['id']}", dict(delivery))

    def recover(self, webhook, *deliveries, **chosen):
        command = self.ask(deliveries[0]["tenantId"], "RecoverDeliveries", {"id": webhook["id"], "since": 0} | chosen)
        self.finish(command, deliveries, len(deliveries))

    def finish(self, command, deliveries, count):
        for delivery in deliveries:
            self.revive(delivery)
        self.answer(command, 200, {"deliveries": count})
        for delivery in deliveries:
            self.resent(delivery)
        self.commit(command.partition)

    def recover_in_turns(self, webhook, *turns):
        """Each turn revives its deliveries; the last one answers, by a copy of the record."""
        command = self.ask(turns[0][0]["tenantId"], "RecoverDeliveries", {"id": webhook["id"], "since": 0})
        begun = self.now
        for delivery in turns[0]:
            self.revive(delivery)
            self.resent(delivery)
        for deliveries in turns[1:-1]:
            self.go_on(command)
            for delivery in deliveries:
                self.revive(delivery)
                self.resent(delivery)
        self.finish(self.go_on(command), turns[-1], sum(map(len, turns)))
        self.history.changes[-2].value["createdAt"] = begun  # the receipt is written again

    def go_on(self, command):
        """The copy of its record, behind what was written so far."""
        self.commit(command.partition)
        copy = replace(command, offset=self.offset(command.topic, command.partition), resumes=True)
        self.history.commands.append(copy)
        return copy

    def resend(self, delivery):
        command = self.ask(delivery["tenantId"], "ResendDelivery", {"id": delivery["id"]})
        self.revive(delivery)
        self.answer(command, 202, {"deliveryId": delivery["id"]})
        self.resent(delivery)
        self.commit(command.partition)

    def resent(self, delivery):
        report = self.report(delivery, delivery["attempts"]) | {"nextAttemptAt": self.now}
        self.event(delivery["tenantId"], f"resent {delivery['id']} {self.now}", "WEBHOOK_EVENT_RESEND", data=report)

    def withdraw(self, delivery):
        """Its webhook was deleted before."""
        tenant = delivery["tenantId"]
        self.change(TENANTS.index(tenant), f"delivery/{delivery['id']}", None)
        report = self.report(delivery, delivery["attempts"], reason="webhook-deleted")
        self.event(tenant, f"withdrawn {delivery['id']}", "WEBHOOK_EVENT_PROCESS_FAIL", data=report)
        self.commit(TENANTS.index(tenant))

    def end(self):
        """The dumps, and everything in the order in which it is read."""
        history = self.history
        history.commands.sort(key=lambda command: command.place)
        history.events.sort(key=lambda event: event.place)
        history.changes.sort(key=lambda change: (change.partition, change.offset))
        dump_all(history)
        return history


def dump(history, keep=lambda partition: True):
    rows = sorted((name, value) for name, value in history.folded.items() if keep(name[1]))
    return "".join(
        json.dumps({"key": key, "partition": partition, "value": {"type": changelog._NAMES[key.partition("/")[0]], **changelog._shown(value)}}) + "\n"
        for (key, partition), value in rows
    )


def answers(history, tenant):
    """What a gateway tells of the tenant."""
    rows, attempts = told.fold(history)
    newest = sorted(rows.get(tenant, {}).values(), key=lambda row: row["createdAt"], reverse=True)
    events = sorted(told.events_of(history).get(tenant, {}).values(), key=lambda event: event[2], reverse=True)
    stories = {id: story for id, story in attempts.get(tenant, {}).items() if len(story) > 1}
    return Told(newest, stories, events, told.NOTHING_MISSING)


def dump_all(history):
    history.forget()
    history.gateways = {"gateway": {tenant: answers(history, tenant) for tenant in TENANTS}}
    history.dump = history.restored = history.dump_then = dump(history)
    history.replicas = {f"worker-{p + 1}": dump(history, lambda partition, p=p: partition == p) for p in range(history.partitions)}


def die(story, delivery):
    for _ in range(len(SETTINGS.schedule_ms) + 1):
        story.attempt(delivery, 500)


def good():
    """Every operation, and deliveries in every state."""
    story = Story()
    acme, other = TENANTS
    first, second = story.create(acme, id="create-1"), story.create(other)
    again = story.ask(acme, "CreateWebhook", {**story.history.commands[0].fields}, id="create-1")
    story.answer(again, 201, first, repeat=True)
    story.commit(0)
    story.answer(story.ask(acme, "RotateSigningKey", {}, id="create-1"), 409, {"code": "Conflict"})
    story.answer(story.ask(acme, "CreateWebhook", {"events": [], "url": "x", "disabled": False}), 400, {"code": "BadRequest"})
    story.commit(0)
    delivered, failing, dying, dead = (story.issue(acme, first) for _ in range(4))
    left = story.issue(other, second)
    story.attempt(delivered, 200)
    story.attempt(failing, 500)
    story.attempt(dying, 503)
    story.attempt(failing, 500)
    story.attempt(dying, 503)
    story.attempt(failing, 200)
    story.attempt(dying, 503)
    story.recover(first, dying)
    story.attempt(dying, 500)
    story.resend(dying)
    story.attempt(dying, 200)
    die(story, dead)
    story.resend(dead)
    die(story, dead)
    story.recover(first, failing, status="succeeded", since=failing["nextAttemptAt"], until=failing["nextAttemptAt"])
    story.attempt(failing, 200)
    many = [story.issue(acme, first) for _ in range(3)]
    for delivery in many:
        die(story, delivery)
    story.recover_in_turns(first, [dead], many[:1], many[1:])
    for delivery in many:
        story.attempt(delivery, 200)
    die(story, dead)
    story.attempt(left, 500)
    shown = story.ask(other, "RetrieveWebhooks", {"limit": None, "cursor": None})
    story.answer(shown, 200, {"data": [second], "nextCursor": None})
    story.answer(story.ask(other, "RetrieveWebhook", {"id": second["id"]}), 200, second)
    story.commit(1)
    rotated = story.ask(other, "RotateSigningKey", {})
    story.key(other, 1, story.now + SETTINGS.key_overlap_ms)
    story.answer(rotated, 201, {"kid": story.key(other, 2), "createdAt": story.now, "expiresAt": None})
    story.commit(1)
    members = {"filter": {"subject": ["s"]}, "signatures": [rules.HMAC], "headers": [{"name": "x-key", "value": "v"}]}
    newer = story.create(other, (OWN_TYPE,), members=members)
    story.publish(other, None, "another")
    story.attempt(story.publish(other, newer, "s"), 200)
    story.rotate_secret(other, newer)
    third = story.create(other)
    withdrawn = story.test(other, third)
    deleted = story.ask(other, "DeleteWebhook", {"id": third["id"]})
    story.change(1, f"webhook/b%2F50%25/{third['id']}", None)
    story.answer(deleted, 204)
    story.commit(1)
    story.now += 10_000
    story.withdraw(withdrawn)
    story.misplace(acme, b"one")
    story.misplace(acme, b"two")
    unreadable = Command(ADMIN, 0, story.offset(ADMIN, 0))
    story.history.commands.append(unreadable)
    story.history.dead_letters.append(unreadable.place)
    story.commit(0)
    return story.end()
