"""Properties of the requests that arrived at the receivers.

Three clocks are compared. An attempt carries the whole second in which its worker began it; the
receiver records the arrival; the observer records when a commit was visible. They are one
machine's, so that only the fraction of the second and the machine's hesitation stand between them.
After a step of a worker's clock its times are not used, and the arrival stands for the beginning.
"""

from collections import Counter

from .verdict import Property, Verdict

# The delay that a busy machine may put between a commit and the thread that waits for it.
HESITATION_S = 1.0
CLOCK = "a worker's clock was stepped"
FOREVER = float("inf")


def _begun(history, callback):
    return callback.time if history.clock else callback.begun


def _told(callback):
    return f"callback {callback.id} at {callback.time:.3f} (begun {callback.begun}, answered {callback.answered})"


def are_committed(history):
    """A callback goes out only after a committed transaction recorded it, for the webhook that it
    names.
    """
    verdict = Verdict()
    received = {}
    for event in history.events:
        if event.type == "WEBHOOK_EVENT_RECEIVE":
            received.setdefault(event.data["deliveryId"], event)
    for callback in history.callbacks:
        event = received.get(callback.id)
        if not event:
            verdict.look(False, lambda c=callback: f"{_told(c)}: no committed transaction recorded it")
        elif event.data["webhookId"] != callback.webhook:
            verdict.look(False, lambda c=callback: f"{_told(c)}: recorded for another webhook than {c.webhook}")
        else:
            early = not history.clock and callback.time * 1000 < event.time_ms
            verdict.look(not early, lambda c=callback, e=event: f"{_told(c)}: before it was recorded, at {e.time_ms} ms")
    return verdict


def ids_stay(history):
    """One id for each event and webhook, and the same bytes for as long as the delivery is kept,
    also where it is sent again; a second recording has a new time in its body.
    """
    verdict, id_of, bodies = Verdict(), {}, {}
    for callback in history.callbacks:
        first = id_of.setdefault((callback.event, callback.webhook), callback.id)
        bodies.setdefault(callback.id, set()).add(callback.body)
        delivery = history.replay.deliveries.get(callback.id)
        recordings = sum(life.is_recorded for life in delivery.lives) if delivery else 1
        if callback.id != callback.delivery:
            fault = f"its body says {callback.delivery}"
        elif first != callback.id:
            fault = f"came as {first} before"
        else:
            fault = "its body changed" if len(bodies[callback.id]) > recordings else None
        verdict.look(not fault, lambda c=callback, fault=fault: f"{_told(c)}: {fault}")
    return verdict


def _until(history, record):
    """A span ends with a commit that takes it back: not before its record was made. Where that time
    says nothing, neither does the span.
    """
    return record.time_ms / 1000 if record and not history.clock else 0


def _closed(history, delivery):
    """The spans in which no attempt may begin because an end was committed: (from, to, why)."""
    for life, after in zip(delivery.lives, [*delivery.lives[1:], None]):
        seen = history.seen.get(("results", *life.end.place)) if life.end else None
        if seen is None:
            continue
        yield seen, _until(history, after.opened) if after else FOREVER, f"{life.end.type} was committed"


def _webhook_closed(history):
    """{webhook id: spans in which it is gone or disabled}"""
    changes, spans = {}, {}
    for change in history.changes:
        if change.kind == "webhook":
            changes.setdefault(change.key.rpartition("/")[2], []).append(change)
    for webhook, found in changes.items():
        # Compaction takes records from the middle, never the last: of what is left only that is
        # sure to be followed by nothing.
        for at, after in zip(found, [*found[1:], None]):
            seen = history.seen.get(("state", at.partition, at.offset))
            closed = at.value is None or at.value["disabled"]
            if closed and seen is not None and (after is None or not history.compaction):
                until = _until(history, after) if after else FOREVER
                spans.setdefault(webhook, []).append((seen, until, "its webhook was disabled or deleted"))
    return spans


def _look_for_attempts(history, verdict, spans, callbacks):
    """Arrived within the span, and begun there: an earlier attempt may arrive late."""
    for since, until, why in spans:
        verdict.looked += until > since
        for callback in callbacks:
            begun = _begun(history, callback)
            if begun > since + HESITATION_S and callback.time < until:
                verdict.wrong.append(f"{_told(callback)}: began {begun - since:.3f} s after {why}")


def none_after_end(history):
    verdict, gone = Verdict(), _webhook_closed(history)
    for delivery in history.replay.deliveries.values():
        callbacks = history.callbacks_of.get(delivery.id, [])
        _look_for_attempts(history, verdict, _closed(history, delivery), callbacks)
        _look_for_attempts(history, verdict, gone.get(delivery.webhook, []), callbacks)
    return verdict


def back_off_is_kept(history):
    """Once another attempt is committed for later, none begins before. An attempt whose outcome was
    not committed did not happen.
    """
    if history.clock:
        return Verdict(not_judged=CLOCK)
    verdict = Verdict()
    for delivery in history.replay.deliveries.values():
        callbacks = history.callbacks_of.get(delivery.id, [])
        for life, event in ((each, event) for each in delivery.lives for event in each.retries):
            seen = history.seen.get(("results", *event.place))
            until_ms = min([event.data["nextAttemptAt"], *(resent.time_ms for resent in life.resends if resent.place > event.place)])
            if seen is not None:
                spans = [(seen, until_ms / 1000, f"the next was put off to {until_ms} ms")]
                _look_for_attempts(history, verdict, spans, callbacks)
    return verdict


def _outcomes_behind(history):
    """[(RESEND, the delivery's next event but another RESEND; None where there is none)]"""
    found, open_ = [], {}
    for event in history.events:
        if not event.type.startswith("WEBHOOK_EVENT_") or "deliveryId" not in (event.data or ()):
            continue
        if event.type == "WEBHOOK_EVENT_RESEND":
            open_.setdefault(event.data["deliveryId"], []).append(event)
        else:
            found += [(resent, event) for resent in open_.pop(event.data["deliveryId"], [])]
    return found + [(resent, None) for events in open_.values() for resent in events]


def _how_resent(history, resent, outcome):
    if outcome is None:
        return "no attempt of it ended, and it did not end without"
    if outcome.data["status"] is None or outcome.data["durationMs"] is None:
        return None  # withdrawn, or no endpoint answered
    sent = [c for c in history.callbacks_of.get(resent.data["deliveryId"], []) if c.answered == outcome.data["status"]]
    if not any(history.clock or callback.time * 1000 >= resent.time_ms for callback in sent):
        return f"no callback of its id was answered {outcome.data['status']} after that"
    return None


def resends_are_sent(history):
    """What is sent again leads to an attempt with the same webhook-id, or ends with its webhook."""
    verdict = Verdict()
    for resent, outcome in _outcomes_behind(history):
        fault = _how_resent(history, resent, outcome)
        verdict.look(not fault, lambda e=resent, f=fault: f"delivery {e.data['deliveryId']}, to be sent again by {e.place}: {f}")
    if history.released and not verdict.looked:
        return Verdict(not_judged="a worker of the release before does not tell of it")
    return verdict


RETRY_AFTER = (429, 502, 503, 504)
DAY_MS = 86_400_000


def schedule_is_kept(history):
    """The wait after an attempt is the schedule's, within its jitter; where the endpoint may have
    asked for more, up to a day.
    """
    verdict = Verdict()
    schedule, jitter = history.settings.schedule_ms, history.settings.jitter
    for event in history.events:
        if event.type != "WEBHOOK_EVENT_RETRY" or not 1 <= event.data["attempt"] <= len(schedule):
            continue
        base = schedule[event.data["attempt"] - 1]
        least, most = base - base * jitter - 1, base + base * jitter + 1
        if event.data["status"] in RETRY_AFTER:
            most = max(most, DAY_MS)
        wait = event.data["nextAttemptAt"] - event.time_ms
        verdict.look(least <= wait <= most, lambda e=event, w=wait, b=base: f"delivery {e.data['deliveryId']}: waits {w} ms, the schedule says {b}")
    return verdict


def outcomes_happened(history):
    """Every committed outcome that an endpoint answered has its answer at a receiver."""
    verdict, answered = Verdict(), Counter((callback.id, callback.answered) for callback in history.callbacks)
    told = Counter()
    for delivery in history.replay.deliveries.values():
        for event in (event for life in delivery.lives for event in [*life.retries, life.end] if event):
            if event.data["durationMs"] is None or event.data["status"] is None:
                continue
            name = delivery.id, event.data["status"]
            told[name] += 1
            verdict.look(
                told[name] <= answered[name],
                lambda e=event, n=name: f"{e.type} of delivery {n[0]}: {told[n]} times status {n[1]}, the receivers gave it {answered[n]} times",
            )
            right = (event.type == "WEBHOOK_EVENT_PROCESS_SUCCESS") == (200 <= event.data["status"] < 300)
            if not right and event.data["reason"] in (None, f"status-{event.data['status']}"):
                verdict.wrong.append(f"{event.type} of delivery {delivery.id}, with status {event.data['status']}")
    return verdict


def observer_saw(history):
    """Who looked on all along saw every event once, where it still is, and none that is not there
    now.
    """
    verdict, there = Verdict(), {event.place: event.id for event in history.events}
    places, names = {}, {}
    for sighting in history.sightings:
        if sighting.topic != "results":
            continue
        place, fault = (sighting.partition, sighting.offset), None
        if place in places:
            fault = "seen twice"
        elif sighting.name in names:
            fault = f"seen before, at {names[sighting.name]}"
        elif there.get(place) != sighting.name:
            fault = f"now there is {there.get(place)}"
        places[place] = names[sighting.name] = place
        verdict.look(not fault, lambda s=sighting, f=fault: f"event {s.name} at [{s.partition}]@{s.offset}: {f}")
    unseen = [place for place in there if place not in places]
    verdict.wrong += [f"event {there[place]} at {place} was never seen" for place in unseen]
    return verdict


def numbers(history):
    """Figures beside the properties, for people."""
    ends = Counter(event.type for event in history.events)
    committed = sum(
        event.data["durationMs"] is not None and event.data["status"] is not None
        for event in history.events
        if event.type in ("WEBHOOK_EVENT_RETRY", "WEBHOOK_EVENT_PROCESS_SUCCESS", "WEBHOOK_EVENT_PROCESS_FAIL")
    )
    taken = Counter((callback.id, callback.body) for callback in history.callbacks if 200 <= callback.answered < 300)
    again = sum(count - 1 for count in taken.values())
    return [
        f"{len(history.commands)} commands, {len(history.dead_letters)} dead letters, {ends['WEBHOOK_EVENT_RECEIVE']} deliveries recorded",
        f"{len(history.callbacks)} callbacks, {len(history.callbacks) - committed} of them without a committed outcome",
        f"{again} callbacks came again after the receiver had answered 2xx",
    ]


PROPERTIES = [
    Property("callbacks-committed", "every callback is of a delivery that was committed before", are_committed),
    Property("callback-ids", "a delivery's id and body stay the same over its attempts", ids_stay),
    Property("none-after-end", "no attempt begins after its end was committed", none_after_end),
    Property("back-off", "no attempt begins before its committed time", back_off_is_kept),
    Property("resends-sent", "what is sent again leads to an attempt with the same id", resends_are_sent),
    Property("schedule", "attempts are put off as the schedule says", schedule_is_kept),
    Property("outcomes-happened", "what was committed as answered was answered so by a receiver", outcomes_happened),
    Property("observer", "who looked on all along saw each event once, and all of them", observer_saw),
]
