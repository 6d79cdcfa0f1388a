"""The checker itself: a good history passes, an empty one fails, and each planted violation is
found by the property that is there for it.
"""

import copy
import functools
import json
from dataclasses import replace

import pytest
import story
from checker import changelog, rules
from checker.history import ADMIN, OWN, Callback, Command, History, Sighting
from checker.main import PROPERTIES, judge

NAMES = [prop.name for prop in PROPERTIES]


@pytest.fixture(scope="module")
def recorded():
    return story.good()


@pytest.fixture
def history(recorded):
    """One of its own, to spoil."""
    history = copy.deepcopy(recorded)
    history.forget()
    return history


def failing(history):
    return {prop.name: verdict.wrong for prop, verdict in judge(history) if not verdict.holds}


def test_a_good_history_passes(history):
    assert failing(history) == {}


def compact(history):
    """As Kafka's cleaner may leave it: of each key the last record, tombstones included."""
    last = {(change.key, change.partition): change for change in history.changes}
    history.compaction = True
    history.changes = [change for change in history.changes if last[change.key, change.partition] is change]


def test_a_compacted_history_passes(history):
    compact(history)
    assert failing(history) == {}


def step_clock(history):
    """All that the worker says is an hour off."""
    history.clock = True
    for callback in history.callbacks:
        callback.time -= 3600
    for sighting in history.sightings:
        sighting.time -= 3600


def test_a_stepped_clock_is_no_violation(history):
    step_clock(history)
    assert failing(history) == {}
    history.clock = False
    assert failing(history) != {}


def test_a_stepped_clock_hides_no_late_attempt(history):
    step_clock(history)
    send_after_the_end(history)
    assert "none-after-end" in failing(history)


@pytest.mark.parametrize("prop", PROPERTIES, ids=NAMES)
def test_nothing_to_look_at_is_a_failure(prop):
    assert not prop(History("cluster", "t-", 2)).holds


def test_what_an_older_worker_did_not_tell_is_filled_in(history):
    """It recorded the delivery, and a newer one has gone on with it."""
    recorded = event(history, "WEBHOOK_EVENT_RECEIVE")
    assert sum(event.data is not None and event.data.get("deliveryId") == recorded.data["deliveryId"] for event in history.events) > 1
    recorded.command = None
    recorded.data = {name: value for name, value in recorded.data.items() if name not in ("eventId", "subject")}
    assert not {"history-deliveries", "history-events"} & failing(history).keys()


# Finding what to spoil


def event(history, type, nth=0):
    return [event for event in history.events if event.type == type][nth]


def change(history, kind, nth=0):
    return [change for change in history.changes if change.kind == kind and change.value][nth]


def last(history, kind):
    return [change for change in history.changes if change.kind == kind and change.value][-1]


def still_pending(history):
    """The last record of a delivery that is pending at the end."""
    keys = {key for (key, _), value in history.folded.items() if value.get("status") == "pending"}
    return [change for change in history.changes if change.key in keys][-1]


def position(history, nth):
    return [change for change in history.changes if change.key == "position" and change.partition == 0][nth]


def set_value(change, **fields):
    change.value = change.value | fields


def redump(spoil):
    """The dumps are of the spoiled fold, so that they agree with it."""

    @functools.wraps(spoil)
    def spoiled(history):
        spoil(history)
        story.dump_all(history)

    return spoiled


def move_callback(history, callback, seconds):
    callback.time += seconds
    callback.begun += seconds


# The violations


def lose_an_end(history):
    history.events.remove(event(history, "WEBHOOK_CREATE_SUCCESS"))


def answer_twice(history):
    twice = copy.copy(event(history, "WEBHOOK_CREATE_SUCCESS"))
    twice.offset += 10_000
    history.events.append(twice)


def answer_a_dead_letter(history):
    history.dead_letters.append(history.commands[0].place)


def lose_a_dead_letter(history):
    history.dead_letters.clear()


def answer_nobody(history):
    end = event(history, "WEBHOOK_CREATE_SUCCESS")
    history.events.append(replace(end, id="another", offset=end.offset + 10_000, command="nobody's"))


def swap_answers(history):
    """Two commands of one tenant, answered in the other order."""
    first, second = [[e for e in history.events if e.type == f"WEBHOOK_RETRIEVE_{kind}START"][-1] for kind in ("LIST_", "")]
    first.offset, second.offset = second.offset, first.offset


def copies(history):
    return [command for command in history.commands if command.came_from]


def lose_a_copy(history):
    copies(history)[0].came_from = None


def lose_what_was_misplaced(history):
    history.commands.remove(next(command for command in history.commands if command.misplaced))


def set_aside_what_was_handed_on(history):
    history.dead_letters.append(next(command.place for command in history.commands if command.misplaced))


def change_a_copy(history):
    copies(history)[0].content = b"another"


def hand_on_twice(history):
    copies(history)[0].came_from = copies(history)[1].came_from


def hand_on_wrongly(history):
    copies(history)[0].misplaced = True


def swap_copies(history):
    first, second = copies(history)
    first.came_from, second.came_from = second.came_from, first.came_from
    first.content, second.content = second.content, first.content


def tell_an_event_again(history):
    again = copy.copy(event(history, "WEBHOOK_EVENT_PROCESS_SUCCESS"))
    again.offset += 10_000
    history.events.append(again)


def answer_wrongly(history):
    event(history, "WEBHOOK_RETRIEVE_SUCCESS").data["url"] = "http://elsewhere/"


def answer_another_status(history):
    event(history, "WEBHOOK_CREATE_FAIL").status = 404


def have_a_second_effect(history):
    """A repeated command that is answered as if it were new."""
    next(e for e in history.events if e.repeat and e.status).repeat = False


def forget_to_record(history):
    history.events.remove(event(history, "WEBHOOK_EVENT_RECEIVE"))


def record_for_nobody(history):
    event(history, "WEBHOOK_EVENT_RECEIVE").id = "another"


def skip_an_attempt(history):
    event(history, "WEBHOOK_EVENT_RETRY", 2).data["attempt"] += 1


def end_twice(history):
    end = event(history, "WEBHOOK_EVENT_PROCESS_SUCCESS")
    history.events.insert(history.events.index(end) + 1, replace(end, id="another", offset=end.offset + 1))


def commit_an_offset_less(history):
    history.offsets[ADMIN, 0].offset -= 1


def commit_for_another_position(history):
    history.offsets[ADMIN, 1].metadata += "7"


def leave_a_command(history):
    history.commands.append(Command(ADMIN, 1, 10_000, story.TENANTS[1], "left", "RotateSigningKey", {}))


def another_store(history):
    set_value(position(history, 2), storeId="99999999-1111-4111-8111-111111111111")


def skip_a_sequence(history):
    for n in range(3, 6):
        set_value(position(history, n), sequence=position(history, n).value["sequence"] + 1)


def repeat_a_sequence(history):
    set_value(position(history, 3), sequence=position(history, 2).value["sequence"])


def fall_a_generation(history):
    set_value(position(history, 5), generation=0)


def go_back(history):
    set_value(position(history, 5), issuanceOffset=position(history, 4).value["issuanceOffset"] - 1)


def interleave(history):
    """A record of a transaction that no position counts."""
    before = position(history, 3)
    twin = replace(change(history, "receipt"), offset=before.offset)
    history.changes.insert(history.changes.index(before), twin)


def lose_a_record(history):
    history.changes.remove(change(history, "key"))


def lose_a_webhook(history):
    history.changes = [change for change in history.changes if change.kind != "webhook" or change.partition == 1]


def change_a_webhook(history):
    set_value(change(history, "webhook"), url="http://elsewhere/")


def resurrect_a_webhook(history):
    history.changes = [change for change in history.changes if change.value or change.kind != "webhook"]


def a_key_too_many(history):
    found = last(history, "key")
    history.changes.append(replace(found, key=found.key + "x", value=found.value | {"epoch": 9}))


def a_wrong_thumbprint(history):
    set_value(last(history, "key"), x=bytes(32))


def a_wrong_receipt(history):
    set_value(last(history, "receipt"), outcome="WEBHOOK_CREATE_FAIL")


def lose_a_pending_delivery(history):
    gone = still_pending(history).key
    history.changes = [change for change in history.changes if change.key != gone]


def keep_a_finished_delivery(history):
    history.changes = [change for change in history.changes if change.value is not None or change.kind != "delivery"]


def forget_an_attempt(history):
    set_value(still_pending(history), attempts=0)


def dump_otherwise(history):
    history.dump = history.dump.replace('"disabled": false', '"disabled": true', 1)


def drift_in_sqlite(history):
    lines = history.replicas["worker-1"].splitlines(keepends=True)
    history.replicas["worker-1"] = "".join(lines[1:])


def keep_too_much_in_sqlite(history):
    history.replicas["worker-2"] += json.dumps({"key": "webhook/acme/x", "partition": 1, "value": {}}) + "\n"


def lose_a_replica(history):
    del history.replicas["worker-2"]


def restore_otherwise(history):
    history.restored = history.restored.replace("http", "htpt", 1)


def restore_too_much(history):
    history.restored += "{}\n"


def send_without_commit(history):
    history.callbacks.append(replace(history.callbacks[0], id="not-recorded", delivery="not-recorded"))


def send_before_commit(history):
    history.callbacks[0].time -= 1


def send_to_another(history):
    history.callbacks[0].webhook = "another"


def change_an_id(history):
    retried = history.callbacks[3]
    history.callbacks[3] = replace(retried, id=history.callbacks[0].id, delivery=history.callbacks[0].id)


def change_a_body(history):
    history.callbacks[3].body = b"another"


def tell_another_id_in_the_body(history):
    history.callbacks[0].delivery = "another"


def send_after_the_end(history):
    late = copy.copy(history.callbacks[0])
    move_callback(history, late, 5)
    history.callbacks.append(late)


def send_to_a_deleted_webhook(history):
    """Its delivery is not yet withdrawn, but its webhook is gone."""
    deleted = next(c for c in history.changes if c.kind == "webhook" and c.value is None)
    delivery = event(history, "WEBHOOK_EVENT_PROCESS_FAIL", -1).data
    seconds = deleted.time_ms // 1000 + 5
    id, webhook = delivery["deliveryId"], delivery["webhookId"]
    history.callbacks.append(Callback(seconds + 0.1, id, seconds, id, webhook, "event", b"", 0))


def send_too_early(history):
    callback = [callback for callback in history.callbacks if callback.answered == 500][1]
    move_callback(history, callback, -3)


def wait_too_short(history):
    event(history, "WEBHOOK_EVENT_RETRY").data["nextAttemptAt"] -= 2000


def wait_too_long(history):
    event(history, "WEBHOOK_EVENT_RETRY").data["nextAttemptAt"] += 2000


def claim_a_success(history):
    """No observer recorded it."""
    history.callbacks = [callback for callback in history.callbacks if callback.id != history.callbacks[0].id]


def see_twice(history):
    history.sightings.append(history.sightings[0])


def see_an_event_again(history):
    seen = next(s for s in history.sightings if s.topic == "results")
    history.sightings.append(replace(seen, offset=seen.offset + 10_000))


def see_what_was_aborted(history):
    history.sightings.append(Sighting(1.0, "results", 0, 10_000, "aborted"))


def never_see(history):
    history.sightings.remove(next(s for s in history.sightings if s.topic == "results"))


def latest_newer(history):
    """The last record of the webhook that has optional members."""
    return [change for change in history.changes if change.kind == "webhook" and change.value and change.value.get("filter")][-1]


def deliver_against_the_filter(history):
    published = [command for command in history.commands if command.operation == "PublishEvent"]
    published[1].fields["subject"] = "another"


def publish_an_unknown_type(history):
    next(command for command in history.commands if command.operation == "PublishEvent").fields["eventType"] = "Other"


def lose_a_member(history):
    set_value(latest_newer(history), filter=None)


def forget_a_rotation(history):
    set_value(latest_newer(history), secretEpoch=0)


def show_another_member(history):
    created = [event for event in history.events if event.type == "WEBHOOK_CREATE_SUCCESS" and event.data.get("filter")]
    created[0].data["signatures"] = ["rfc9421"]


def go_back_in_events(history):
    last(history, "position").value["eventOffset"] = 1


def commit_an_event_less(history):
    history.offsets[OWN, 1].offset -= 1


def copies_of_a_recovery(history):
    return [command for command in history.commands if command.resumes]


def begin_a_recovery_again(history):
    history.events.append(replace(history.events[0], id=history.id_of(copies_of_a_recovery(history)[0], 0), offset=10_000))


def answer_before_it_is_done(history):
    history.events.append(replace(history.events[0], id=history.id_of(copies_of_a_recovery(history)[0], 1), offset=10_000))


def go_on_with_nothing(history):
    copy = copies_of_a_recovery(history)[0]
    history.commands.remove(next(command for command in history.commands if command.id == copy.id and not command.resumes))


def go_on_with_another(history):
    for command in history.commands:
        if command.id == copies_of_a_recovery(history)[0].id:
            command.operation = "DeleteWebhook"


def recoveries(history):
    return [event for event in history.events if event.type == "WEBHOOK_RECOVER_SUCCESS"]


def count_one_less(history):
    recoveries(history)[0].data["deliveries"] -= 1


def count_the_last_turn_alone(history):
    assert max(event.data["deliveries"] for event in recoveries(history)) == 4
    recoveries(history)[-1].data["deliveries"] = 2


def recover_past_its_time(history):
    """One that ended after `until`."""
    chosen = next(command for command in history.commands if command.fields.get("until"))
    chosen.fields["until"] -= 1


def recover_of_another_subject(history):
    next(command for command in history.commands if command.operation == "RecoverDeliveries").fields["subject"] = "another"


def resends(history, attempted):
    """Of deliveries that had ended, or of pending ones."""
    return [event for event in history.events if event.type == "WEBHOOK_EVENT_RESEND" and (event.data["attempt"] > 0) == attempted]


def tell_no_resend(history):
    history.events.remove(resends(history, False)[-1])


def tell_no_resend_of_a_pending_one(history):
    history.events.remove(resends(history, True)[0])


def resend_unasked(history):
    """Of one that is pending."""
    retried = event(history, "WEBHOOK_EVENT_RETRY")
    again = replace(resends(history, True)[0], id="another", offset=retried.offset + 1, partition=retried.partition, data=dict(retried.data))
    history.events.insert(history.events.index(retried) + 1, again)


def send_no_more(history):
    """The callback by which a resending was told to have ended."""
    id = resends(history, True)[0].data["deliveryId"]
    history.callbacks.remove([callback for callback in history.callbacks if callback.id == id][-1])


def send_with_another_id(history):
    id = resends(history, True)[0].data["deliveryId"]
    [callback for callback in history.callbacks if callback.id == id][-1].id = "another"


def never_end_what_was_resent(history):
    id = resends(history, False)[-1].data["deliveryId"]
    own = [event for event in history.events if (event.data or {}).get("deliveryId") == id and event.type != "WEBHOOK_EVENT_RESEND"]
    last_resend = max(event.place for event in resends(history, False) if event.data["deliveryId"] == id)
    history.events = [event for event in history.events if event not in own or event.place < last_resend]


def keep_two_records(history):
    """One delivery in two partitions."""
    found = still_pending(history)
    history.changes.append(replace(found, partition=1 - found.partition, offset=10_000))


def tell(history, tenant=story.TENANTS[0]):
    return history.gateways["gateway"][tenant]


def tell_nothing_of_a_delivery(history):
    tell(history).deliveries.pop()


def tell_another_state(history):
    tell(history).deliveries[0] = tell(history).deliveries[0] | {"status": "dead"}


def tell_one_attempt_less(history):
    row = next(row for row in tell(history).deliveries if row["attemptCount"] > 1)
    row["attemptCount"] -= 1


def tell_a_delivery_twice(history):
    tell(history).deliveries.append(tell(history).deliveries[-1])


def tell_anothers_delivery(history):
    tell(history).deliveries.append(tell(history, story.TENANTS[1]).deliveries[-1])


def tell_the_oldest_first(history):
    tell(history).deliveries.reverse()


def tell_another_story(history):
    next(iter(tell(history).attempts.values()))[0]["status"] = 418


def tell_of_a_loss(history):
    tell(history).complete_since = "2026-01-31T12:00:00.000Z"


def tell_nothing_of_an_event(history):
    tell(history).events.pop(5)


def tell_an_event_twice(history):
    tell(history).events.append(tell(history).events[-1])


def tell_anothers_event(history):
    tell(history).events.append(tell(history, story.TENANTS[1]).events[0])


def tell_the_oldest_event_first(history):
    tell(history).events.reverse()


VIOLATIONS = [
    ("goes-on", begin_a_recovery_again),
    ("goes-on", answer_before_it_is_done),
    ("goes-on", go_on_with_nothing),
    ("goes-on", go_on_with_another),
    ("answers-model", count_one_less),
    ("answers-model", count_the_last_turn_alone),
    ("answers-model", recover_past_its_time),
    ("answers-model", recover_of_another_subject),
    ("delivery-lives", tell_no_resend),
    ("delivery-lives", tell_no_resend_of_a_pending_one),
    ("delivery-lives", resend_unasked),
    ("resends-sent", send_no_more),
    ("resends-sent", send_with_another_id),
    ("resends-sent", never_end_what_was_resent),
    ("pending", redump(keep_two_records)),
    ("history-deliveries", tell_nothing_of_a_delivery),
    ("history-deliveries", tell_another_state),
    ("history-deliveries", tell_one_attempt_less),
    ("history-deliveries", tell_a_delivery_twice),
    ("history-deliveries", tell_anothers_delivery),
    ("history-deliveries", tell_the_oldest_first),
    ("history-deliveries", tell_another_story),
    ("history-deliveries", tell_of_a_loss),
    ("history-events", tell_nothing_of_an_event),
    ("history-events", tell_an_event_twice),
    ("history-events", tell_anothers_event),
    ("history-events", tell_the_oldest_event_first),
    ("recorded-model", deliver_against_the_filter),
    ("answers-model", publish_an_unknown_type),
    ("answers-model", show_another_member),
    ("webhooks-model", redump(lose_a_member)),
    ("webhooks-model", redump(forget_a_rotation)),
    ("inputs-go-on", go_back_in_events),
    ("offsets-at-rest", commit_an_event_less),
    ("answered-once", lose_an_end),
    ("answered-once", answer_twice),
    ("answered-once", answer_a_dead_letter),
    ("answered-once", lose_a_dead_letter),
    ("answers-belong", answer_nobody),
    ("answers-in-order", swap_answers),
    ("rerouted-once", lose_a_copy),
    ("rerouted-once", lose_what_was_misplaced),
    ("rerouted-once", set_aside_what_was_handed_on),
    ("rerouted-once", change_a_copy),
    ("rerouted-once", hand_on_twice),
    ("rerouted-once", hand_on_wrongly),
    ("rerouted-once", swap_copies),
    ("events-once", tell_an_event_again),
    ("answers-model", answer_wrongly),
    ("answers-model", answer_another_status),
    ("answers-model", have_a_second_effect),
    ("recorded-model", forget_to_record),
    ("recorded-model", record_for_nobody),
    ("delivery-lives", skip_an_attempt),
    ("delivery-lives", end_twice),
    ("offsets-at-rest", commit_an_offset_less),
    ("offsets-at-rest", commit_for_another_position),
    ("offsets-at-rest", leave_a_command),
    ("one-store", another_store),
    ("sequences", skip_a_sequence),
    ("sequences", repeat_a_sequence),
    ("generations", fall_a_generation),
    ("inputs-go-on", go_back),
    ("record-counts", interleave),
    ("record-counts", lose_a_record),
    ("webhooks-model", redump(lose_a_webhook)),
    ("webhooks-model", redump(change_a_webhook)),
    ("webhooks-model", redump(resurrect_a_webhook)),
    ("keys-model", redump(lose_a_record)),
    ("keys-model", redump(a_key_too_many)),
    ("keys-model", redump(a_wrong_thumbprint)),
    ("receipts-model", redump(a_wrong_receipt)),
    ("pending", redump(lose_a_pending_delivery)),
    ("pending", redump(keep_a_finished_delivery)),
    ("pending", redump(forget_an_attempt)),
    ("dump-is-fold", dump_otherwise),
    ("replicas", drift_in_sqlite),
    ("replicas", keep_too_much_in_sqlite),
    ("replicas", lose_a_replica),
    ("restored", restore_otherwise),
    ("restored", restore_too_much),
    ("callbacks-committed", send_without_commit),
    ("callbacks-committed", send_before_commit),
    ("callbacks-committed", send_to_another),
    ("callback-ids", change_an_id),
    ("callback-ids", change_a_body),
    ("callback-ids", tell_another_id_in_the_body),
    ("none-after-end", send_after_the_end),
    ("none-after-end", send_to_a_deleted_webhook),
    ("back-off", send_too_early),
    ("schedule", wait_too_short),
    ("schedule", wait_too_long),
    ("outcomes-happened", claim_a_success),
    ("observer", see_twice),
    ("observer", see_an_event_again),
    ("observer", see_what_was_aborted),
    ("observer", never_see),
]


def test_every_property_has_a_violation():
    assert {name for name, _ in VIOLATIONS} == set(NAMES)


@pytest.mark.parametrize("name, spoil", VIOLATIONS, ids=[f"{name}-{spoil.__name__}" for name, spoil in VIOLATIONS])
def test_a_planted_violation_is_found(history, name, spoil):
    spoil(history)
    history.forget()
    found = failing(history)
    assert found.get(name), f"not found; failing were {found}"


# A tenant that has too much


def refused_after(webhooks):
    """The model's verdict on a webhook that is refused with 429 by a tenant that has this many."""
    many = story.Story()
    for _ in range(webhooks):
        many.create("acme")
    fields = {"events": [rules.ISSUED], "url": "http://127.0.0.1:1/", "disabled": False}
    many.answer(many.ask("acme", "CreateWebhook", fields), 429)
    return many.end().replay.wrong["answers"]


def test_every_time_is_compared_as_the_dump_shows_it():
    assert changelog._shown({"failingSince": 1_800_000_000_028}) == {"failingSince": "2027-01-15T08:00:00.028Z"}


def test_a_member_that_was_added_is_shown_where_it_was_given():
    """One that the first edition has is shown as null."""
    delivery = {"traceparent": None, "tracestate": None, "subject": None}
    assert changelog._shown(delivery) == {"traceparent": None}


def test_a_newer_command_may_be_refused_while_the_group_is_not_known():
    """Without a receipt; one that has nothing newer may not."""
    for members, wrong in (({"description": "new"}, 0), ({}, 1)):
        some = story.Story()
        fields = {"events": [rules.ISSUED], "url": "http://127.0.0.1:1/", "disabled": False} | members
        some.answer_with(some.ask("acme", "CreateWebhook", fields), 1, "FAIL", status=503, data={})
        replayed = some.end().replay
        assert (len(replayed.wrong["answers"]), len(replayed.tenants["acme"].webhooks)) == (wrong, wrong)


def test_a_limit_is_an_answer():
    assert not refused_after(rules.WEBHOOKS_LEAST)


def test_a_limit_for_who_has_little_is_none():
    (wrong,) = refused_after(rules.WEBHOOKS_LEAST - 1)
    assert "429" in wrong and "201" in wrong


def list_first(url, count):
    """The model's verdict on a list of two webhooks that shows the first and says that another
    follows.
    """
    listed = story.Story()
    made = [listed.create("acme", url=url) for _ in range(count)]
    shown = {"data": made[:1], "nextCursor": "more"}
    listed.answer(listed.ask("acme", "RetrieveWebhooks", {"limit": None, "cursor": None}), 200, shown)
    return listed.end().replay.wrong["answers"]


def test_a_large_page_may_end_early():
    assert not list_first("http://127.0.0.1:1/" + "x" * rules.PAGE_BYTES_MAX, 2)


def test_a_small_page_may_not():
    assert list_first("http://127.0.0.1:1/", 2)
