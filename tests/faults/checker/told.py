"""Properties of what the gateways tell of deliveries and events, against our fold of
webhook-results: written from docs/api.md, not from the gateway's code.
"""

import itertools

from .changelog import shown_time
from .verdict import Property, Verdict

NOTHING_MISSING = shown_time(0)
STEPS = {"WEBHOOK_EVENT_PROCESS_SUCCESS": "succeeded", "WEBHOOK_EVENT_PROCESS_FAIL": "dead"}
STORIES_MAX = 200  # deliveries of a tenant that are asked for with their attempts


def _shown(**members):
    """What there is nothing to say of is absent."""
    return {name: value for name, value in members.items() if value is not None}


def _time(ms):
    return None if ms is None else shown_time(ms)


def _is_of_delivery(type, data):
    return type.startswith("WEBHOOK_EVENT_") and not type.startswith("WEBHOOK_EVENT_PUBLISH_") and "deliveryId" in (data or ())


def _attempt(event):
    data = event.data
    response = data.get("response")
    return _shown(
        at=shown_time(event.time_ms - data["durationMs"] if data.get("attemptedAt") is None else data["attemptedAt"]),
        status=data["status"],
        reason=data["reason"],
        durationMs=data["durationMs"],
        response=None if response is None else _shown(**response),
    )


class _Delivery:
    """Its events so far. A worker of the release before tells less of it: the first that tells a
    member of `named` is believed.
    """

    def __init__(self, event):
        self.first, self.last, self.attempts, self.most, self.named = event, event, [], 0, {}

    def take(self, event):
        self.last = event
        for name, value in (("commandId", event.command), ("eventId", event.data.get("eventId")), ("subject", event.data.get("subject"))):
            if value is not None:
                self.named.setdefault(name, value)
        if event.data["durationMs"] is not None:
            self.attempts.append(_attempt(event))
        self.most = max(self.most, len(self.attempts), event.data["attempt"])

    def status(self):
        withdrawn = self.last.data["durationMs"] is None
        status = STEPS.get(self.last.type, "pending")
        return "withdrawn" if status == "dead" and withdrawn else status

    def row(self):
        first, last, status = self.first, self.last, self.status()
        return _shown(
            id=first.data["deliveryId"],
            webhookId=first.data["webhookId"],
            eventType=first.data["eventType"],
            **self.named,
            status=status,
            createdAt=_time(first.time_ms if first.type == "WEBHOOK_EVENT_RECEIVE" else None),
            endedAt=_time(None if status == "pending" else last.time_ms),
            nextAttemptAt=_time(last.data["nextAttemptAt"]),
            attemptCount=self.most,
            lastStatus=last.data["status"],
            lastReason=last.data["reason"],
        )


def _deliveries(history):
    """{tenant: {delivery id: its delivery}}"""
    found = {}
    for event in history.events:
        if _is_of_delivery(event.type, event.data):
            found.setdefault(event.tenant, {}).setdefault(event.data["deliveryId"], _Delivery(event)).take(event)
    return found


def fold(history):
    """{tenant: {delivery id: its row}}, {tenant: {delivery id: its attempts}}"""
    found = _deliveries(history)
    rows = {tenant: {id: delivery.row() for id, delivery in deliveries.items()} for tenant, deliveries in found.items()}
    return rows, {tenant: {id: delivery.attempts for id, delivery in deliveries.items()} for tenant, deliveries in found.items()}


def _event(id, type, time, command, status, data):
    of_delivery = data if _is_of_delivery(type, data) else {}
    return id, type, time, command, status, *(of_delivery.get(name) for name in ("deliveryId", "attempt", "reason"))


def shown_event(event):
    """An event as a gateway shows it, as far as it is compared."""
    return _event(event["id"], event["type"], event["timestamp"], event["commandId"], event["status"], event["data"])


def events_of(history):
    """{tenant: {event id: the event}}; a delivery's have the delivery's command."""
    found, deliveries = {}, _deliveries(history)
    for event in history.events:
        is_step = _is_of_delivery(event.type, event.data)
        command = deliveries[event.tenant][event.data["deliveryId"]].named.get("commandId") if is_step else event.command
        shown = _event(event.id, event.type, shown_time(event.time_ms), command, event.status, event.data)
        found.setdefault(event.tenant, {})[event.id] = shown
    return found


def tenants(history):
    return sorted({event.tenant for event in history.events})


def _compare(verdict, name, wanted, told, id_of):
    """`told` in the order of the answer."""
    seen = set()
    for item in told:
        id = id_of(item)
        verdict.look(wanted.get(id) == item, lambda item=item, id=id: f"{name}: told {str(item)[:300]}, the topic says {str(wanted.get(id))[:300]}")
        if id in seen:
            verdict.wrong.append(f"{name}: told {id} twice")
        seen.add(id)
    verdict.wrong += [f"{name}: {id} is not told" for id in wanted.keys() - seen]


def _in_order(verdict, name, times):
    for newer, older in itertools.pairwise(times):
        if newer < older:
            verdict.wrong.append(f"{name}: {older} stands behind {newer}")
            return


def deliveries_are_told(history):
    """Of each delivery its state, its attempts and when; nothing that the topic does not say; and
    that nothing is missing.
    """
    if history.gateways is None:
        return Verdict(not_judged="no gateway took part")
    verdict, (rows, attempts) = Verdict(), fold(history)
    for gateway, answers in history.gateways.items():
        for tenant in tenants(history):
            name, told = f"{gateway}, tenant {tenant}", answers[tenant]
            _compare(verdict, name, rows.get(tenant, {}), told.deliveries, lambda row: row["id"])
            _in_order(verdict, name, [row["createdAt"] for row in told.deliveries if "createdAt" in row])
            for id, story in told.attempts.items():
                verdict.look(attempts.get(tenant, {}).get(id) == story, f"{name}: the attempts of {id} are told as {str(story)[:300]}")
            if told.complete_since != NOTHING_MISSING:
                verdict.wrong.append(f"{name}: said to be complete since {told.complete_since}")
    return verdict


def events_are_told(history):
    if history.gateways is None:
        return Verdict(not_judged="no gateway took part")
    verdict, wanted = Verdict(), events_of(history)
    for gateway, answers in history.gateways.items():
        for tenant in tenants(history):
            name, told = f"{gateway}, tenant {tenant}", answers[tenant]
            _compare(verdict, name, wanted[tenant], told.events, lambda event: event[0])
            _in_order(verdict, name, [event[2] for event in told.events])
    return verdict


PROPERTIES = [
    Property("history-deliveries", "the gateway's history equals the topic, delivery by delivery", deliveries_are_told),
    Property("history-events", "the gateway's history has each event of the topic, and no other", events_are_told),
]
